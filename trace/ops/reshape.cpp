// The same elements in row-major order under another shape.
#include "trace/ops/axes.hpp"

namespace fluxion::ops {
std::span<const Rules* const> reshape_rules();

namespace {

/// The index of the operand's axes [first, last) in a group of axes with the flat position `flat`.
void delinearize(kernel::Builder& builder,
                 kernel::Affine flat,
                 const Shape& shape,
                 std::size_t first,
                 std::size_t last,
                 kernel::Index& index) {
  std::size_t outermost = first;
  while (outermost + 1 < last && shape[outermost] == 1) ++outermost;
  for (std::size_t k = last; k-- > outermost;) {
    if (k == outermost) {
      index[k] = flat;
    } else if (shape[k] != 1) {
      index[k] = builder.modulo(flat, shape[k]);
      flat = builder.divide(flat, shape[k]);
    }
  }
}

struct Reshape {
  static constexpr auto name = "reshape";
  static constexpr bool aliases = true;
  Shape shape;

  Types types(TypeList in) const {
    for (std::int64_t size : shape) {
      if (size < 0) {
        fail("reshape-size",
             Site(),
             "reshape: the shape " + to_string(shape) + " has a negative size",
             {"operand " + to_string(in[0])});
      }
    }
    const std::int64_t have = element_count(in[0].shape), want = element_count(shape);
    if (have != want) {
      fail("reshape-size",
           Site(),
           "reshape: " + std::to_string(have) + " elements do not fill the shape " +
               to_string(shape) + ", which holds " + std::to_string(want),
           {"operand " + to_string(in[0])});
    }
    return {{shape, in[0].dtype}};
  }

  ArrayList jvp(Arrays, Arrays, Arrays dx) const {
    return {defined(dx[0]) ? reshape(dx[0], shape, rule_site()) : Array()};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (defined(ct[0]) && out.needed(0)) {
      out.add(0, reshape(ct[0], x.type(0).shape, rule_site()));
    }
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    return {{reshape(move_axis(x[0], at[0], 0), with_axis(shape, 0, size), rule_site())}, {0}};
  }

  // Axes are matched in the smallest groups with equal products, so that only what really is
  // split or merged is divided.
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    const Shape& from = x.operand(0).shape;
    kernel::Index index(from.size());
    if (element_count(from) == 0) return x.read(0, index);
    std::size_t p = 0, q = 0;
    while (p < from.size() || q < shape.size()) {
      const std::size_t first = p, start = q;
      std::int64_t have = p < from.size() ? from[p++] : 1, want = q < shape.size() ? shape[q++] : 1;
      while (have != want) {
        if (have < want)
          have *= from[p++];
        else
          want *= shape[q++];
      }
      kernel::Affine flat;
      std::int64_t stride = 1;
      for (std::size_t k = q; k-- > start;) {
        flat += i[k] * stride;
        stride *= shape[k];
      }
      delinearize(x.builder(), flat, from, first, p, index);
    }
    return x.read(0, index);
  }

  void reference(ConstTensors in, Tensors out) const {
    if (bytes_of(in[0].type)) std::memcpy(out[0].data, in[0].data, bytes_of(in[0].type));
  }
};

constexpr const Rules* rules[] = {rules_of<Reshape>()};

}  // namespace

std::span<const Rules* const> reshape_rules() { return rules; }

Array reshape(const Array& x, const Shape& shape, const Site& site) {
  if (defined(x) && type_of(x).shape == shape) return x;
  return emit(Reshape{shape}, {x}, site);
}

}  // namespace fluxion::ops
