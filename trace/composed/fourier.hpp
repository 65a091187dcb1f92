// Fourier transforms along one axis, not divided by anything.
#pragma once
#include "fluxion/array.hpp"

namespace fluxion::composed {

/// sum over j of x[j] exp(-+2 pi i j k / n); x: float32, float64 or complex. The result is complex.
Array fourier(const Array& x, int axis, bool inverse, const Site&);
/// All n frequencies of a real signal from the first n / 2 + 1.
Array mirrored_spectrum(const Array& x, int axis, std::int64_t n, const Site&);

}  // namespace fluxion::composed
