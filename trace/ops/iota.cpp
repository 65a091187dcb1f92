// The position along one axis, as a number.
#include "trace/ops/axes.hpp"

namespace fluxion::ops {
std::span<const Rules* const> iota_rules();

namespace {

struct Iota {
  static constexpr auto name = "iota";
  Shape shape;
  DType dtype = int32;
  int axis = 0;

  Types types(TypeList) const {
    const Type result{shape, dtype};
    check_real("iota", result);
    if (dtype == bool_) {
      fail("dtype",
           Site(),
           "iota: positions are numbers, not bool",
           {"result " + to_string(result)},
           "use an integer dtype");
    }
    check_axes("iota", "axis", {axis}, static_cast<int>(shape.size()));
    return {result};
  }

  ArrayList jvp(Arrays, Arrays, Arrays) const { return {Array()}; }

  Batched batch(Arrays, BatchAxes, std::int64_t) const {
    return {{emit(*this, {}, rule_site())}, {unbatched}};
  }

  // 16-bit floats are rounded from float32, as everywhere.
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    const kernel::Scalar position = x.builder().value(i[static_cast<std::size_t>(axis)]);
    const bool narrow = dtype == float16 || dtype == bfloat16;
    return convert(narrow ? convert(position, float32) : position, dtype);
  }

  void reference(ConstTensors, Tensors out) const {
    by_dtype(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>) {
        throw InternalError("iota of complex numbers");
      } else {
        for_each_index(shape, [&](const auto& index, std::int64_t flat) {
          const std::int64_t position = index[static_cast<std::size_t>(axis)];
          T& to = out[0].template as<T>()[flat];
          if constexpr (std::is_class_v<T>)
            to = T(static_cast<float>(position));
          else
            to = static_cast<T>(position);
        });
      }
    });
  }
};

constexpr const Rules* rules[] = {rules_of<Iota>()};

}  // namespace

std::span<const Rules* const> iota_rules() { return rules; }

Array iota(const Type& type, int axis, const Site& site) {
  return emit(Iota{type.shape, type.dtype, axis}, {}, site);
}

}  // namespace fluxion::ops
