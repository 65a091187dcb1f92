// threefry2x32: the block function of counter-based random numbers, 20 rounds (Salmon et al.,
// "Parallel random numbers: as easy as 1, 2, 3", 2011).
#include "trace/ops/elementwise.hpp"

#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> threefry_rules();

namespace {
using kernel::Scalar;

/// Groups of four rounds alternate between two lists of rotations.
constexpr int rotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
/// The parity constant of the key schedule, C240 of Skein cut to 32 bits.
constexpr std::uint32_t parity = 0x1bd11bda;

struct Threefry2x32 {
  static constexpr auto name = "threefry2x32";

  Types types(TypeList in) const {
    check_operand_count(name, in, 4);
    for (const Type& type : in) {
      if (type.dtype == uint32) continue;
      fail("dtype",
           Site(),
           fmt::format("threefry2x32: keys and counters are u32, not {}", to_string(type.dtype)),
           {"operand " + to_string(type)},
           "a random key comes from fx::random::key(seed)");
    }
    check_alike(name, in);
    return {in[0], in[0]};
  }
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array(), Array()}; }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  void body(kernel::Nest& nest) const {
    nest.phase(nest.result().shape, [&nest](const kernel::Index& at) {
      Scalar key[3] = {nest.read(0, at), nest.read(1, at), {}};
      key[2] = key[0] ^ key[1] ^ key[0].like(parity);
      Scalar x = nest.read(2, at) + key[0], y = nest.read(3, at) + key[1];
      for (int group = 0; group < 5; ++group) {
        for (int rotation : rotations[group % 2]) {
          x = x + y;
          y = (y << y.like(rotation)) | (y >> y.like(32 - rotation));
          y = y ^ x;
        }
        x = x + key[(group + 1) % 3];
        y = y + key[(group + 2) % 3] + y.like(group + 1);
      }
      nest.write(0, at, x);
      nest.write(1, at, y);
    });
  }
  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t count = element_count(in[0].type.shape);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto operand = [&](std::size_t k) { return in[k].as<std::uint32_t>()[i]; };
      const std::uint32_t schedule[3] = {operand(0), operand(1), operand(0) ^ operand(1) ^ parity};
      std::uint32_t block[2] = {operand(2) + schedule[0], operand(3) + schedule[1]};
      for (std::uint32_t round = 0; round < 20; ++round) {
        block[0] += block[1];
        block[1] = std::rotl(block[1], rotations[round / 4 % 2][round % 4]) ^ block[0];
        if (round % 4 != 3) continue;
        const std::uint32_t injection = round / 4 + 1;
        block[0] += schedule[injection % 3];
        block[1] += schedule[(injection + 1) % 3] + injection;
      }
      out[0].as<std::uint32_t>()[i] = block[0];
      out[1].as<std::uint32_t>()[i] = block[1];
    }
  }
};
}  // namespace

std::span<const Rules* const> threefry_rules() {
  static constexpr const Rules* rules[] = {rules_of<Threefry2x32>()};
  return rules;
}

std::pair<Array, Array> threefry2x32(const Array& key0,
                                     const Array& key1,
                                     const Array& count0,
                                     const Array& count1,
                                     const Site& site) {
  const Array operands[] = {key0, key1, count0, count1};
  ArrayList results = emit_all(Threefry2x32(), operands, site);
  return {results[0], results[1]};
}

}  // namespace fluxion::ops
