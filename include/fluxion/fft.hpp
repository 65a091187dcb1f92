// Fourier transforms: the names and meanings of jax.numpy.fft.
#pragma once
#include "ops.hpp"

namespace fluxion::fft {

// Any length, in O(n log n): factors up to 13 by passes, lengths with larger prime factors by
// Bluestein's convolution with powers of two. Real numbers become complex64, float64 and complex128
// stay wide. Errors relative to the 2-norm: below 1e-6 for complex64, 1e-14 for complex128.
//
// `n`: the axis is cut or filled with zeros to this length first (default: as long as it is).
// `norm`: "backward" (the default) divides inverse transforms by n, "forward" the others, "ortho"
// both by sqrt(n); error `fft-norm` otherwise. Error `fft-length` where a length is below 1, error
// `dtype` where a real transform is asked of complex numbers.
using Length = std::optional<std::int64_t>;

/// sum over j of x[j] exp(-2 pi i j k / n) for k = 0 ... n - 1, along an axis; its inverse.
Array fft(const Operand& x, Length n = {}, int axis = -1, std::string_view norm = {});
Array ifft(const Operand& x, Length n = {}, int axis = -1, std::string_view norm = {});
/// Of real numbers, the first n / 2 + 1 results, which determine the others.
Array rfft(const Operand& x, Length n = {}, int axis = -1, std::string_view norm = {});
/// The inverse of rfft: n real numbers (default 2 (size - 1)) of the first n / 2 + 1 results.
Array irfft(const Operand& x, Length n = {}, int axis = -1, std::string_view norm = {});
/// The same along two axes, and along several (default: the last ones, as many as `s` has lengths,
/// or all). rfft is along the last of them, irfft too.
Array fft2(const Operand& x,
           const Shape& s = {},
           const Axes& axes = {-2, -1},
           std::string_view norm = {});
Array ifft2(const Operand& x,
            const Shape& s = {},
            const Axes& axes = {-2, -1},
            std::string_view norm = {});
Array rfft2(const Operand& x,
            const Shape& s = {},
            const Axes& axes = {-2, -1},
            std::string_view norm = {});
Array irfft2(const Operand& x,
             const Shape& s = {},
             const Axes& axes = {-2, -1},
             std::string_view norm = {});
Array fftn(const Operand& x,
           const Shape& s = {},
           const Axes& axes = {},
           std::string_view norm = {});
Array ifftn(const Operand& x,
            const Shape& s = {},
            const Axes& axes = {},
            std::string_view norm = {});
Array rfftn(const Operand& x,
            const Shape& s = {},
            const Axes& axes = {},
            std::string_view norm = {});
Array irfftn(const Operand& x,
             const Shape& s = {},
             const Axes& axes = {},
             std::string_view norm = {});

/// The frequencies of fft's results for n samples `d` apart: 0, 1, ..., -2, -1 over n d.
Array fftfreq(std::int64_t n, double d = 1, DType = float32, Site = Site::current());
/// Those of rfft's results: 0, 1, ..., n / 2 over n d.
Array rfftfreq(std::int64_t n, double d = 1, DType = float32, Site = Site::current());
/// Rotates axes so that frequency 0 is in the middle; and back.
Array fftshift(const Operand& x, const Axes& axes = {});
Array ifftshift(const Operand& x, const Axes& axes = {});

}  // namespace fluxion::fft

namespace fluxion::lax {
enum class FftType { FFT, IFFT, RFFT, IRFFT };
/// XLA's fft: along the last axes, one for each length, which are the axes' own (of IRFFT's last
/// axis: of the result). FFT and IFFT take complex, RFFT real, IRFFT complex numbers; the inverse
/// ones divide by the lengths. Errors as fx::fft's.
Array fft(const Operand& x, FftType, const Shape& lengths);
}  // namespace fluxion::lax
