// The discrete Fourier transform of real and imaginary parts.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// Lengths that fft takes: at most this, without a prime factor beyond `largest_fft_factor`.
inline constexpr std::int64_t longest_fft = 4096, largest_fft_factor = 13;

/// sum over j of (re + i im)[..., j] exp(-2 pi i j k / n) along the last axis, as two arrays:
/// float32 or float64, one shape.
std::pair<Array, Array> fft(const Array& re, const Array& im, const Site&);

/// The prime factors of n >= 1, ascending.
std::vector<std::int64_t> prime_factors(std::int64_t n);

}  // namespace fluxion::ops
