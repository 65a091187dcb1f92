// Conversions of 16-bit floats on the host, and counting through shapes.
#include "trace/tensor.hpp"

namespace fluxion {

Float16::Float16(float value) {
  const std::uint32_t x = std::bit_cast<std::uint32_t>(value), sign = x >> 16 & 0x8000,
                      magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000)
    bits = static_cast<std::uint16_t>(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  else if (magnitude >= 0x477ff000)
    bits = static_cast<std::uint16_t>(sign | 0x7c00);  // rounds to infinity
  else if (magnitude < 0x38800000) {  // subnormal: let the adder round at bit 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    bits = static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000));
  } else
    bits = static_cast<std::uint16_t>(
        sign | ((magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13));
}
Float16::operator float() const {
  const std::uint32_t sign = std::uint32_t(bits & 0x8000) << 16, magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00)
    return std::bit_cast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude >= 0x0400) return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000));
  const float tiny = static_cast<float>(magnitude) * 0x1p-24f;
  return sign ? -tiny : tiny;
}

BFloat16::BFloat16(float value) {
  const std::uint32_t x = std::bit_cast<std::uint32_t>(value);
  bits = static_cast<std::uint16_t>(
      (x & 0x7fffffff) > 0x7f800000 ? x >> 16 | 0x40 : (x + 0x7fff + (x >> 16 & 1)) >> 16);
}
BFloat16::operator float() const { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

std::int64_t element_count(const Shape& shape) {
  std::int64_t n = 1;
  for (std::int64_t size : shape) n *= size;
  return n;
}

bool next_index(std::span<std::int64_t> index, const Shape& shape) {
  for (std::size_t k = index.size(); k-- > 0;) {
    if (++index[k] < shape[k]) return true;
    index[k] = 0;
  }
  return false;
}

}  // namespace fluxion
