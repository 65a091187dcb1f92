// select: elementwise choice between two arrays; moves elements of any dtype, linear in both.
#include "trace/ops/elementwise.hpp"

#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> select_rules();

namespace {

struct Select {
  static constexpr auto name = "select";

  Types types(TypeList in) const {
    check_operand_count(name, in, 3);
    if (in[0].dtype != bool_) {
      fail("dtype",
           Site(),
           fmt::format("select: the condition is {}, not bool", to_string(in[0].dtype)),
           {"condition " + to_string(in[0])},
           "compare it with something: x != 0");
    }
    check_alike(name, in.subspan(1));
    if (!in[0].shape.empty() && !(in[0].shape == in[1].shape)) {
      fail("broadcast",
           Site(),
           fmt::format("select: the condition has shape {}, the choices {}",
                       to_string(in[0].shape),
                       to_string(in[1].shape)),
           {"condition " + to_string(in[0]), "choices " + to_string(in[1])},
           "the condition has the choices' shape, or none");
    }
    return {in[1]};
  }
  ArrayList jvp(Arrays x, Arrays z, Arrays dx) const {
    if (!defined(dx[1]) && !defined(dx[2])) return {Array()};
    const Type& type = type_of(z[0]);
    return {select(x[0], or_zeros(dx[1], type), or_zeros(dx[2], type), rule_site())};
  }
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (x.linear(0)) throw InternalError("select: the condition has no tangent");
    const Array zeros = zeros_of(type_of(ct[0]));
    if (x.linear(1) && out.needed(1)) {
      out.add(1, select(x.value(0), ct[0], zeros, rule_site()));
    }
    if (x.linear(2) && out.needed(2)) {
      out.add(2, select(x.value(0), zeros, ct[0], rule_site()));
    }
  }
  Batched batch(Arrays x, BatchAxes axes, std::int64_t size) const {
    if (axes[0] != unbatched || type_of(x[0]).shape.size() > 0) {
      return batch_with_shape(x, axes, size);
    }
    // One condition for all examples stays a scalar.
    const int at = axes[1] != unbatched ? axes[1] : axes[2];
    if (at == unbatched) return {{emit(*this, x, rule_site())}, {unbatched}};
    const Array& batched = axes[1] != unbatched ? x[1] : x[2];
    const Shape full = with_axis(without_axis(type_of(batched).shape, at), at, size);
    Array yes = align(x[1], axes[1], full, at), no = align(x[2], axes[2], full, at);
    return {{select(x[0], yes, no, rule_site())}, {at}};
  }
  kernel::Scalar at(kernel::Reader& x, const kernel::Index& index) const {
    const bool scalar = x.operand(0).shape.empty();
    kernel::Scalar condition = x.read(0, scalar ? kernel::Index() : index);
    return kernel::select(condition, x.read(1, index), x.read(2, index));
  }
  void reference(ConstTensors in, Tensors out) const {
    const std::int64_t count = element_count(in[1].type.shape);
    const bool scalar = in[0].type.shape.empty();
    for (std::int64_t i = 0; i < count; ++i) {
      const bool condition = in[0].as<bool>()[scalar ? 0 : i];
      copy_element(out[0], i, condition ? in[1] : in[2], i);
    }
  }

 private:
  static Batched batch_with_shape(Arrays x, BatchAxes axes, std::int64_t size) {
    // Of the choices, whose rank is the result's; the condition may be one number for each example.
    const std::size_t shaped = axes[1] != unbatched ? 1 : axes[2] != unbatched ? 2 : 0;
    const bool from_condition = shaped == 0;
    if (from_condition && axes[0] == unbatched) {
      return {{emit(Select(), x, rule_site())}, {unbatched}};
    }
    const Shape& choice = type_of(x[1]).shape;
    const bool lone = from_condition && type_of(x[0]).shape.size() == 1;
    const int at = lone ? 0 : axes[shaped];
    const Shape one = axes[1] != unbatched ? without_axis(choice, axes[1]) : choice;
    const Shape full = with_axis(one, at, size);
    ArrayList operands;
    for (std::size_t k = 0; k < 3; ++k) operands.push_back(align(x[k], axes[k], full, at));
    return {emit_all(Select(), operands, rule_site()), {at}};
  }
};
}  // namespace

std::span<const Rules* const> select_rules() {
  static constexpr const Rules* rules[] = {rules_of<Select>()};
  return rules;
}

Array select(const Array& condition, const Array& yes, const Array& no, const Site& site) {
  return emit(Select(), {condition, yes, no}, site);
}

}  // namespace fluxion::ops
