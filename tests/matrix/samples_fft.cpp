// Rows of Fourier transforms.
#include "tests/matrix/samples.hpp"

namespace fluxion::test {
namespace {

namespace fx = fluxion;
namespace lax = fluxion::lax;

Sample row(std::string name,
           std::function<Array(const Array&)> f,
           const std::vector<Shape>& shapes,
           const std::vector<DType>& dtypes = complex_dtypes()) {
  Sample sample{std::move(name), one([f](const ArrayList& x) { return f(x[0]); }), {}, dtypes};
  for (const Shape& shape : shapes) sample.cases.push_back({{shape, -1, 1}});
  return sample;
}

const std::vector<DType> reals = {float32, float64};

}  // namespace

Samples fft_samples() {
  using fx::fft::fft, fx::fft::ifft, fx::fft::rfft, fx::fft::irfft;
  return {
      // one pass, several, an odd prime, Bluestein (17), four steps (4,900 = 70 * 70)
      row("fft",
          [](const Array& x) { return fft(x); },
          {{1}, {2}, {3}, {4}, {8}, {2, 5}, {12}, {17}, {0, 6}, {3, 40}, {2, 3, 26}, {64}, {1024}}),
      row("fft of a long row", [](const Array& x) { return fft(x); }, {{4900}}),
      row(
          "fft of real numbers", [](const Array& x) { return fft(x); }, {{6}, {2, 9}}, reals),
      row("fft of integers", [](const Array& x) { return fft(x); }, {{6}}, {int32, uint8, bool_}),
      row("ifft", [](const Array& x) { return ifft(x); }, {{1}, {6}, {2, 7}, {19}, {2, 45}}),
      row("fft along another axis, cut",
          [](const Array& x) { return fft(x, 3, 0, "ortho"); },
          {{4, 2}, {5, 33}}),
      row("fft, filled", [](const Array& x) { return fft(x, 8, 1, "forward"); }, {{2, 3}}),
      row(
          "rfft", [](const Array& x) { return rfft(x); }, {{1}, {2}, {6}, {2, 7}, {40}}, reals),
      row("irfft", [](const Array& x) { return irfft(x); }, {{2}, {4}, {2, 3}, {21}}),
      row("irfft of odd length", [](const Array& x) { return irfft(x, 7); }, {{4}, {2, 3}, {9}}),
      row("fft2", [](const Array& x) { return fx::fft::fft2(x); }, {{2, 3}, {2, 4, 2}, {6, 34}}),
      row("ifft2", [](const Array& x) { return fx::fft::ifft2(x, {3, 2}); }, {{2, 3}}),
      row(
          "rfft2", [](const Array& x) { return fx::fft::rfft2(x); }, {{2, 4}}, reals),
      row("irfft2", [](const Array& x) { return fx::fft::irfft2(x); }, {{2, 3}}),
      row("fftn",
          [](const Array& x) { return fx::fft::fftn(x, {}, {}, "ortho"); },
          {{3}, {2, 2, 2}, {2, 3, 2}}),
      row("ifftn", [](const Array& x) { return fx::fft::ifftn(x, {}, {2, 0}); }, {{2, 2, 3}}),
      row(
          "rfftn", [](const Array& x) { return fx::fft::rfftn(x); }, {{2, 2, 3}}, reals),
      row("irfftn", [](const Array& x) { return fx::fft::irfftn(x, {2, 5}, {0, 2}); }, {{2, 2, 3}}),
      row("lax fft",
          [](const Array& x) { return lax::fft(x, lax::FftType::IFFT, {2, 3}); },
          {{2, 3}, {2, 2, 3}}),
      row(
          "lax rfft",
          [](const Array& x) { return lax::fft(x, lax::FftType::RFFT, {3, 4}); },
          {{3, 4}},
          reals),
      row("fftshift",
          [](const Array& x) { return fx::fft::fftshift(x, 1); },
          {{2, 5}, {3, 4}},
          {float32, float64, int32, complex64, complex128}),
      row("ifftshift",
          [](const Array& x) { return fx::fft::ifftshift(x); },
          {{2, 5}, {3, 4}},
          {float32, float64, int32, complex64, complex128}),
      row(
          "frequencies",
          [](const Array& x) { return x * fx::fft::fftfreq(5, 0.5) + fx::fft::rfftfreq(9, 0.1); },
          {{5}},
          reals),
      row(
          "a convolution by transforms",
          [](const Array& x) { return irfft(rfft(x) * rfft(fx::arange(6).astype(x.dtype())), 6); },
          {{6}, {2, 6}},
          reals),
  };
}

}  // namespace fluxion::test
