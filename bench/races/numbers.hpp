// Seeded numbers of the races, the same on every machine and in every run.
#pragma once
#include "fluxion/fluxion.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace fluxion::races {

class Numbers {
 public:
  explicit Numbers(unsigned seed) : random_(seed) {}
  /// In [low, high): 53 bits of the generator, which the standard defines, unlike its
  /// distributions.
  double operator()(double low, double high) {
    return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1p-53;
  }
  std::vector<double> many(std::int64_t count, double low, double high) {
    std::vector<double> all(static_cast<std::size_t>(count));
    for (double& x : all) x = (*this)(low, high);
    return all;
  }
  std::int32_t below(std::int64_t count) {
    return static_cast<std::int32_t>(random_() % static_cast<std::uint64_t>(count));
  }

 private:
  std::mt19937_64 random_;
};

/// Host numbers as an array.
template <class T> Array array_of(const std::vector<T>& numbers, const Shape& shape) {
  return from_span(std::span<const T>(numbers), shape);
}

}  // namespace fluxion::races
