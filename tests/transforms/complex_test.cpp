// Complex numbers as users meet them: their derivatives are JAX's, their transforms NumPy's.
#include "fluxion/fluxion.hpp"
#include "tests/data/complex_vectors.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <sstream>

namespace fx = fluxion;
using fx::Array;

namespace {

namespace exact = fluxion::test::exact_complex;
using Z = std::complex<double>;

template <std::size_t N> std::vector<Z> numbers(const exact::Pair (&pairs)[N]) {
  std::vector<Z> out;
  for (const exact::Pair& p : pairs) out.push_back({p.re, p.im});
  return out;
}
template <std::size_t N> Array arrays(const exact::Pair (&pairs)[N]) {
  return fx::array(numbers(pairs));
}

double distance(const std::vector<Z>& a, const std::vector<Z>& b) {
  REQUIRE(a.size() == b.size());
  double off = 0, size = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    off += std::norm(a[k] - b[k]);
    size += std::norm(b[k]);
  }
  return std::sqrt(off / (size > 0 ? size : 1));
}

template <std::size_t N> void check(const Array& got, const exact::Pair (&wanted)[N]) {
  const Array wide = got.flatten().astype(fx::complex128);
  CHECK(distance(wide.to_vector<Z>(), numbers(wanted)) < 1e-14);
}
template <std::size_t N> void check(const Array& got, const double (&wanted)[N]) {
  const std::vector<double> values = got.to_vector<double>();
  for (std::size_t k = 0; k < N; ++k)
    CHECK(std::abs(values[k] - wanted[k]) <= 1e-13 * (1 + std::abs(wanted[k])));
}

const Array z = arrays(exact::z), w = arrays(exact::w), m = arrays(exact::m).reshape({2, 3});

template <class F, std::size_t N, std::size_t M>
void check_linear(const F& f, const exact::Pair (&pulled)[N], const exact::Pair (&pushed)[M]) {
  auto [y, pullback] = fx::vjp(f, z);
  auto [ct] = pullback(w);
  check(ct, pulled);
  auto [value, tangent] = fx::jvp(f, z, w);
  check(tangent, pushed);
}

/// NumPy's samples.
std::vector<Z> signal() {
  std::vector<Z> x;
  for (int k = 0; k < 12; ++k) x.push_back(Z((7 * k) % 5 - 2, (3 * k) % 4 - 1));
  return x;
}

}  // namespace

TEST_CASE("gradients of real functions of complex numbers are JAX's") {
  const auto squared = [](Array x) { return fx::square(fx::abs(x)); };
  check(fx::grad([&](Array x) { return fx::sum(squared(x)); })(z), exact::gradient_squared_modulus);
  check(fx::grad([](Array x) { return fx::sum(fx::abs(x)); })(z), exact::gradient_modulus);
  check(fx::grad([](Array x) { return fx::sum(fx::real(x * x)); })(z),
        exact::gradient_real_of_square);
  check(fx::grad([](Array x) { return fx::sum(fx::imag(fx::exp(x))); })(z),
        exact::gradient_imag_of_exp);
  check(fx::grad([](Array x) { return fx::sum(fx::real(x / w)); })(z),
        exact::gradient_real_of_quotient);
  check(fx::grad([](Array x) { return fx::real(fx::prod(x)); })(z),
        exact::gradient_real_of_product);
  check(fx::grad([](Array x) { return fx::sum(fx::angle(x)); })(z), exact::gradient_angle);
  check(fx::grad([&](Array x) { return fx::sum(squared(fx::matmul(m, x))); })(z),
        exact::gradient_norm_of_dot);
  check(fx::grad([](Array x) { return fx::sum(fx::real(w * fx::conj(x))); })(z),
        exact::gradient_real_of_conj);
  check(fx::grad([&](Array x) {
          return fx::sum(squared(fx::fft::fft(x, 5)) * fx::arange(5).astype(fx::float64));
        })(z),
        exact::gradient_spectrum);
}

TEST_CASE("complex tangents and cotangents are JAX's, without a conjugate") {
  check_linear(fx::sin, exact::pulled_sin, exact::pushed_sin);
  check_linear(fx::log, exact::pulled_log, exact::pushed_log);
  check_linear(fx::sqrt, exact::pulled_sqrt, exact::pushed_sqrt);
  check_linear(fx::tanh, exact::pulled_tanh, exact::pushed_tanh);
  check_linear(fx::acos, exact::pulled_acos, exact::pushed_acos);
  check_linear(fx::square, exact::pulled_square, exact::pushed_square);
  check_linear(fx::conj, exact::pulled_conj, exact::pushed_conj);
  check_linear([](Array x) { return x * m[0]; }, exact::pulled_product, exact::pushed_product);
  check_linear([](Array x) { return fx::power(x, Array(Z(0.5, 1))); },
               exact::pulled_power,
               exact::pushed_power);
  check_linear([](Array x) { return fx::fft::fft(x); }, exact::pulled_fft, exact::pushed_fft);
}

TEST_CASE("real functions are differentiated through complex numbers") {
  const Array r = fx::array(std::vector<double>(std::begin(exact::r), std::end(exact::r)));
  check(fx::grad([](Array x) { return fx::sum(fx::real(fx::exp(Array(Z(0, 1)) * x) * w)); })(r),
        exact::gradient_rotation);
  check(fx::grad([](Array x) {
          return fx::sum(fx::square(fx::abs(fx::fft::rfft(x, 6))) *
                         fx::arange(4).astype(fx::float64));
        })(r),
        exact::gradient_half_spectrum);
  check(fx::grad([](Array x) {
          const Array filter = fx::array({Z(1, 0), Z(0, 2)});
          return fx::sum(fx::square(fx::fft::irfft(fx::fft::rfft(x) * filter, 3)));
        })(r),
        exact::gradient_round_trip);
}

TEST_CASE("Fourier transforms are NumPy's") {
  const Array x = fx::array(signal());
  using namespace fx::fft;
  check(fft(x, 1), exact::fft_1);
  check(fft(x, 2), exact::fft_2);
  check(fft(x, 5), exact::fft_5);
  check(fft(x, 8), exact::fft_8);
  check(fft(x, 11), exact::fft_11);
  check(fft(x), exact::fft_12);
  check(fft(x, 17), exact::fft_17);
  check(fft(x, 30), exact::fft_30);
  check(ifft(x, {}, -1, "ortho"), exact::ifft_ortho);
  check(rfft(fx::real(x), 7), exact::rfft_7);
  check(irfft(x[{fx::slice(0, 5)}], 9), exact::irfft_9);
  check(fft2(x.reshape({3, 4}), {}, {-2, -1}, "forward"), exact::fft2_forward);
  check(rfftn(fx::real(x).reshape({2, 2, 3})), exact::rfftn);
  check(irfftn(x.reshape({3, 4}), {2, 5}), exact::irfftn);
  CHECK(fftfreq(5, 0.5).to_vector<float>() == std::vector<float>{0, 0.4f, 0.8f, -0.8f, -0.4f});
  CHECK(rfftfreq(4).to_vector<float>() == std::vector<float>{0, 0.25f, 0.5f});
  CHECK(fftshift(fx::arange(5)).to_vector<int>() == std::vector<int>{3, 4, 0, 1, 2});
  CHECK(ifftshift(fx::arange(5)).to_vector<int>() == std::vector<int>{2, 3, 4, 0, 1});
}

TEST_CASE("a transform and its inverse are the identity at every length") {
  for (std::int64_t n : {1, 2, 3, 16, 63, 64, 97, 343, 1000, 1009, 4096, 5000, 10007, 65536}) {
    std::vector<Z> x;
    for (std::int64_t k = 0; k < n; ++k) {
      const auto t = static_cast<double>(k);
      x.push_back(Z(std::sin(12.9898 * t), std::cos(78.233 * t)));
    }
    // one frequency, whose transform is known
    const std::int64_t bin = n / 3;
    std::vector<Z> wave, peak(static_cast<std::size_t>(n));
    for (std::int64_t k = 0; k < n; ++k)
      wave.push_back(std::polar(
          1.0, 2 * std::numbers::pi * static_cast<double>(bin * k % n) / static_cast<double>(n)));
    peak[static_cast<std::size_t>(bin)] = static_cast<double>(n);
    INFO(n);
    const Array there = fx::fft::fft(fx::array(x));
    CHECK(distance(fx::fft::ifft(there).to_vector<Z>(), x) < 2e-15);
    CHECK(distance(fx::fft::fft(fx::array(wave)).to_vector<Z>(), peak) < 2e-15);
    const Array narrow = fx::fft::fft(fx::array(x).astype(fx::complex64));
    CHECK(distance(narrow.astype(fx::complex128).to_vector<Z>(), there.to_vector<Z>()) < 5e-7);
  }
}

TEST_CASE("complex numbers print, convert and promote") {
  const Array c(std::complex<float>(1, -2));
  CHECK((c * 2).dtype() == fx::complex64);
  CHECK((c + Array(1.0)).dtype() == fx::complex128);
  CHECK((c + fx::ones({2})).dtype() == fx::complex64);
  CHECK((c + fx::ones({2}, fx::int32)).dtype() == fx::complex64);
  CHECK(fx::abs(c).dtype() == fx::float32);
  CHECK(fx::abs(fx::array({Z(3, 4)})).item<double>() == 5);
  CHECK((c * c).item<std::complex<float>>() == std::complex<float>(-3, -4));
  CHECK(fx::complex(1, 2).item<std::complex<float>>() == std::complex<float>(1, 2));
  CHECK(fx::real(fx::array({1, 2})).to_vector<int>() == std::vector<int>{1, 2});
  CHECK(fx::imag(fx::array({1, 2})).to_vector<int>() == std::vector<int>{0, 0});
  CHECK(fx::iscomplexobj(c));
  CHECK(!fx::iscomplexobj(1.0));
  CHECK(fx::iscomplex(fx::array({Z(1, 0), Z(0, 1)})).to_vector<bool>() ==
        std::vector<bool>{false, true});
  CHECK(fx::eye(2, fx::complex64).dtype() == fx::complex64);
  CHECK(fx::angle(-1.0).item<double>() == std::numbers::pi);
  std::ostringstream text;
  text << fx::array({Z(1, 2), Z(-0.5, -1)}) * 2;
  CHECK(text.str() == "[ 2.+4.j -1.-2.j]");
}

TEST_CASE("complex functions run under jit and vmap") {
  const auto f = [](Array x) { return fx::sum(fx::exp(x) * fx::conj(x)); };
  const Array once = fx::jit(f)(z), eager = f(z);
  CHECK(once.item<Z>() == eager.item<Z>());
  const Array rows = fx::stack({z, w});
  const Array all = fx::vmap(f)(rows);
  CHECK(std::abs(all[1].item<Z>() - f(w).item<Z>()) < 1e-14);
}

TEST_CASE("what Fourier transforms refuse") {
  const Array x = fx::ones({4});
  const auto code = [](auto f) {
    try {
      f();
    } catch (const fx::Error& e) {
      return std::string(e.code());
    }
    return std::string();
  };
  CHECK(code([&] { fx::fft::fft(x, 0); }) == "fft-length");
  CHECK(code([&] { fx::fft::irfft(fx::ones({1})); }) == "fft-length");
  CHECK(code([&] { fx::fft::fft(x, {}, 1); }) == "axis");
  CHECK(code([&] { fx::fft::fft(x, {}, 0, "half"); }) == "fft-norm");
  CHECK(code([&] { fx::fft::rfft(x.astype(fx::complex64)); }) == "dtype");
  CHECK(code([&] { fx::fft::fftn(x, {2, 2}, {0}); }) == "fft-length");
  CHECK(code([&] { fx::lax::fft(x, fx::lax::FftType::RFFT, {5}); }) == "fft-length");
  CHECK(code([&] { fx::floor(x.astype(fx::complex64)); }) == "complex");
}
