// clamp: min(max(x, low), high), elementwise; the bounds may be scalars.
#include "trace/ops/elementwise.hpp"

#include <cmath>
#include <fmt/format.h>

namespace fluxion::ops {
std::span<const Rules* const> clamp_rules();

namespace {
using kernel::Scalar;

Array less(const Array& x, const Array& y) { return compare(Direction::lt, x, y, rule_site()); }

/// The bound as an array of x's shape.
Array spread(const Array& bound, const Array& x) {
  if (type_of(bound).shape == type_of(x).shape) return bound;
  return broadcast_in_dim(bound, type_of(x).shape, {}, rule_site());
}

struct Clamp {
  static constexpr auto name = "clamp";

  Types types(TypeList in) const {
    check_operand_count(name, in, 3);
    const Type& x = in[1];
    check_accepted(name, x, numbers);
    for (std::size_t k : {0, 2}) {
      const char* bound = k == 0 ? "low" : "high";
      if (in[k].dtype != x.dtype) {
        fail("dtype",
             Site(),
             fmt::format("clamp: {} is {}, the operand {}",
                         bound,
                         to_string(in[k].dtype),
                         to_string(x.dtype)),
             {fmt::format("{} {}", bound, to_string(in[k])), "operand " + to_string(x)},
             "convert the bound with astype");
      }
      if (!in[k].shape.empty() && !(in[k].shape == x.shape)) {
        fail("broadcast",
             Site(),
             fmt::format("clamp: {} has shape {}, the operand {}",
                         bound,
                         to_string(in[k].shape),
                         to_string(x.shape)),
             {fmt::format("{} {}", bound, to_string(in[k])), "operand " + to_string(x)},
             "a bound has the operand's shape, or none");
      }
    }
    return {x};
  }
  /// The tangent of what the result is; the operand's own counts only strictly between the bounds.
  ArrayList jvp(Arrays in, Arrays, Arrays d) const {
    const Array low = spread(in[0], in[1]), &x = in[1], high = spread(in[2], in[1]);
    const Array zeros = zeros_of(type_of(x));
    const auto where = [&](const Array& condition, const Array& tangent) {
      return select(condition, spread(tangent, x), zeros, rule_site());
    };
    const auto both = [](const Array& a, const Array& b) {
      return binary("and", a, b, rule_site());
    };
    Array from_low, from_x, from_high;
    if (defined(d[0])) from_low = where(both(less(x, low), less(low, high)), d[0]);
    if (defined(d[1])) from_x = where(both(less(low, x), less(x, high)), d[1]);
    if (defined(d[2])) from_high = where(less(high, binary("max", low, x, rule_site())), d[2]);
    return {sum_of(sum_of(from_low, from_x), from_high)};
  }
  Batched batch(Arrays in, BatchAxes axes, std::int64_t size) const {
    int at = axes[1];
    if (at == unbatched) {
      const auto fits = [&](std::size_t k) {
        return axes[k] != unbatched &&
               type_of(in[k]).shape.size() == type_of(in[1]).shape.size() + 1;
      };
      if (axes[0] == unbatched && axes[2] == unbatched) {
        return {{emit(*this, in, rule_site())}, {unbatched}};
      }
      at = fits(0) ? axes[0] : fits(2) ? axes[2] : 0;
    }
    const Shape& shape = type_of(in[1]).shape;
    const Shape full =
        with_axis(axes[1] == unbatched ? shape : without_axis(shape, axes[1]), at, size);
    const auto bound = [&](std::size_t k) {
      const bool one_for_all = axes[k] == unbatched && type_of(in[k]).shape.empty();
      return one_for_all ? in[k] : align(in[k], axes[k], full, at);
    };
    return {{clamp(bound(0), align(in[1], axes[1], full, at), bound(2), rule_site())}, {at}};
  }
  Scalar at(kernel::Reader& in, const kernel::Index& index) const {
    const auto bound = [&](int k) {
      return widened(in.read(k, in.operand(k).shape.empty() ? kernel::Index() : index));
    };
    Scalar x = in.read(1, index);
    return narrowed(kernel::min(kernel::max(widened(x), bound(0)), bound(2)), x.type());
  }
  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[1].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!host_complex<T>) {
        const std::int64_t count = element_count(in[1].type.shape);
        for (std::int64_t i = 0; i < count; ++i) {
          const T low = in[0].as<T>()[in[0].type.shape.empty() ? 0 : i];
          const T high = in[2].as<T>()[in[2].type.shape.empty() ? 0 : i];
          out[0].as<T>()[i] = element(low, in[1].as<T>()[i], high);
        }
      }
    });
  }

 private:
  template <class T> static T element(T low, T x, T high) {
    if constexpr (host_float<T>) {
      double l = to_double(low), v = to_double(x), h = to_double(high);
      if (std::isnan(l) || std::isnan(v) || std::isnan(h)) return from_double<T>(std::nan(""));
      if (v < l || (v == l && std::signbit(v))) v = l;
      if (h < v || (v == h && std::signbit(h))) v = h;
      return from_double<T>(v);
    } else {
      const T raised = x < low ? low : x;
      return high < raised ? high : raised;
    }
  }
};
}  // namespace

std::span<const Rules* const> clamp_rules() {
  static constexpr const Rules* rules[] = {rules_of<Clamp>()};
  return rules;
}

Array clamp(const Array& low, const Array& x, const Array& high, const Site& site) {
  return emit(Clamp(), {low, x, high}, site);
}

}  // namespace fluxion::ops
