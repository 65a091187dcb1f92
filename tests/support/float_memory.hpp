// Numbers of 16 or 32 bits for library calls in tests, in memory whose end is watched.
#pragma once
#include "fluxion/core.hpp"
#include "trace/kernel/fold.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace fluxion::test {

inline float widened(DType dtype, std::uint16_t bits) {
  const std::uint64_t wide = kernel::convert_bits(dtype, float32, bits);
  return std::bit_cast<float>(static_cast<std::uint32_t>(wide));
}
inline std::uint16_t narrowed(DType dtype, float value) {
  const std::uint64_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>(kernel::convert_bits(float32, dtype, bits));
}

/// Memory of f32, bf16 or f16, aligned to 64 and followed by bytes that nobody may write.
class Memory {
 public:
  Memory(DType dtype, std::int64_t count) : dtype_(dtype), count_(count) {
    bytes_.assign(static_cast<std::size_t>(count * size()) + 192, std::byte{0x5C});
  }
  void fill(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::int64_t i = 0; i < count_; ++i) set(i, uniform(random));
  }
  void fill_with_nan() {
    for (std::int64_t i = 0; i < count_; ++i) set(i, std::numeric_limits<float>::quiet_NaN());
  }
  void* data() {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    return bytes_.data() + (64 - address % 64) % 64;
  }
  double at(std::int64_t i) {
    if (dtype_ == float32) return static_cast<const float*>(data())[i];
    return widened(dtype_, static_cast<const std::uint16_t*>(data())[i]);
  }
  void set(std::int64_t i, float value) {
    if (dtype_ == float32) {
      static_cast<float*>(data())[i] = value;
    } else {
      static_cast<std::uint16_t*>(data())[i] = narrowed(dtype_, value);
    }
  }
  bool end_untouched() {
    const auto* end = static_cast<std::byte*>(data()) + count_ * size();
    for (int i = 0; i < 64; ++i) {
      if (end[i] != std::byte{0x5C}) return false;
    }
    return true;
  }

 private:
  std::int64_t size() const { return dtype_ == float32 ? 4 : 2; }
  DType dtype_;
  std::int64_t count_;
  std::vector<std::byte> bytes_;
};

}  // namespace fluxion::test
