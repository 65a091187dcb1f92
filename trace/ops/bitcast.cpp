// bitcast: the same bits as another dtype of the same width.
#include "trace/ops/elementwise.hpp"

#include <cstring>
#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> bitcast_rules();

namespace {

struct Bitcast {
  static constexpr auto name = "bitcast";
  DType to = float32;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    const DType from = in[0].dtype;
    check_accepted(name, in[0], numbers);
    check_accepted(name, {in[0].shape, to}, numbers);
    if (size_of(from) != size_of(to)) {
      fail("dtype",
           Site(),
           fmt::format("bitcast: {} has {} bits, {} has {}",
                       to_string(from),
                       8 * size_of(from),
                       to_string(to),
                       8 * size_of(to)),
           {"operand " + to_string(in[0])},
           "choose a dtype of the same width");
    }
    return {{in[0].shape, to}};
  }
  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    return batch_elementwise(*this, x, axes, size);
  }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    return kernel::bitcast(x.read(0, index), to);
  }
  void reference(ConstTensors in, Tensors out) const {
    if (const std::size_t bytes = bytes_of(in[0].type)) std::memcpy(out[0].data, in[0].data, bytes);
  }
};
}  // namespace

std::span<const Rules* const> bitcast_rules() {
  static constexpr const Rules* rules[] = {rules_of<Bitcast>()};
  return rules;
}

Array bitcast(const Array& x, DType to, const Site& site) {
  if (defined(x) && type_of(x).dtype == to) return x;
  return emit(Bitcast{to}, {x}, site);
}

}  // namespace fluxion::ops
