// sort: lines of several arrays, moved together into the order of some of them.
#include "trace/ops/sort.hpp"

#include "trace/ops/axes.hpp"
#include "trace/ops/elementwise.hpp"
#include "trace/ops/positions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fluxion::ops {
std::span<const Rules* const> sort_rules();

namespace {

constexpr std::int64_t longest_counted = 16;  // lines that kernels sort, by counting

/// NaN is greater than everything, -0 equals 0; bools and integers are what they are.
template <class T> bool precedes(T a, T b) {
  if constexpr (host_float<T>) {
    const double x = to_double(a), y = to_double(b);
    return std::isnan(y) ? !std::isnan(x) : x < y;
  } else {
    return a < b;
  }
}

kernel::Scalar precedes(kernel::Scalar a, kernel::Scalar b) {
  if (a.type() == bool_) return ~a & b;
  const kernel::Scalar less = a < b;
  return is_floating(a.type()) ? less | ((b != b) & (a == a)) : less;
}

struct Sort {
  static constexpr auto name = "sort";
  int axis = 0, keys = 1, values = 0;  // the first operands are keys, the others move with them
  bool descending = false;

  Types types(TypeList in) const {
    check_axes(name, "axis", {axis}, in.empty() ? 0 : rank_of(in[0]));
    check_operand_count(name, in, static_cast<std::size_t>(keys + values));
    for (std::size_t k = 0; k < in.size(); ++k) {
      if (static_cast<int>(k) < keys) check_real(name, in[k]);
      if (in[k].shape == in[0].shape) continue;
      fail("sort",
           Site(),
           "sort: the operands' shapes differ, " + to_string(in[0].shape) + " and " +
               to_string(in[k].shape),
           {"operand 0 is " + to_string(in[0]),
            "operand " + std::to_string(k) + " is " + to_string(in[k])},
           "operands that are sorted together have one shape: broadcast one of them");
    }
    return Types(in.begin(), in.end());
  }

  /// Tangents move as the elements do: to where the numbers of the places went.
  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    ArrayList tangents(x.size());
    if (std::none_of(dx.begin(), dx.end(), [](const Array& t) { return defined(t); }))
      return tangents;
    const Shape& shape = type_of(x[0]).shape;
    if (element_count(shape) == 0) return ArrayList(dx.begin(), dx.end());
    const DType number = element_count(shape) < 0x7fffffff ? int32 : int64;
    ArrayList with_places(x.begin(), x.begin() + keys);
    with_places.push_back(iota({shape, number}, axis, rule_site()));
    const Array order = sort(with_places, axis, keys, descending, rule_site()).back();
    // The flat place of the element at `order` along the axis.
    const std::vector<std::int64_t> strides = strides_of(shape);
    Array flat =
        mul(order,
            filled(static_cast<double>(strides[static_cast<std::size_t>(axis)]), type_of(order)));
    for (int k = 0; k < static_cast<int>(shape.size()); ++k) {
      if (k == axis || size_at(shape, k) == 1) continue;
      const Type& type = type_of(order);
      const Array at = iota(type, k, rule_site());
      flat = add(flat,
                 mul(at, filled(static_cast<double>(strides[static_cast<std::size_t>(k)]), type)));
    }
    for (std::size_t k = 0; k < x.size(); ++k)
      if (defined(dx[k])) tangents[k] = gather_flat(dx[k], flat, true, rule_site());
    return tangents;
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    ArrayList operands;
    for (std::size_t k = 0; k < x.size(); ++k) operands.push_back(batch_first(x[k], at[k], size));
    return {sort(operands, axis + 1, keys, descending, rule_site()), std::vector<int>(x.size(), 0)};
  }

  LeafSpec leaf(TypeList in, TypeList) const {
    const Shape& shape = in[0].shape;
    SortSpec spec;
    spec.length = size_at(shape, axis);
    if (spec.length <= longest_counted || element_count(shape) == 0) return {};
    spec.inner = strides_of(shape)[static_cast<std::size_t>(axis)];
    spec.outer = element_count(shape) / spec.length / spec.inner;
    spec.keys = keys;
    spec.descending = descending;
    for (const Type& type : in) spec.dtypes.push_back(type.dtype);
    return spec;
  }

  // The place of an element is the number of those that come before it.
  void body(kernel::Nest& nest) const {
    const Shape shape = nest.operand(0).shape;
    const std::int64_t n = size_at(shape, axis);
    const auto along = static_cast<std::size_t>(axis);
    nest.phase(shape, [this, &nest, n, along](const kernel::Index& i) {
      kernel::Builder& b = nest.builder();
      const auto key = [&](int k, const kernel::Index& at) { return widened(nest.read(k, at)); };
      const auto before = [&](const kernel::Index& j) {
        kernel::Index other = i;
        other[along] = j[0];
        // From the last key: equal ones are decided by the next.
        kernel::Scalar first = b.value(j[0]) < b.value(i[along]);
        for (int k = keys; k-- > 0;) {
          const kernel::Scalar mine = key(k, i), theirs = key(k, other);
          const kernel::Scalar less = precedes(theirs, mine), greater = precedes(mine, theirs);
          first = descending ? greater | (~less & first) : less | (~greater & first);
        }
        return std::vector<kernel::Builder::Element>{
            {select(first, b.constant(int64, 1), b.constant(int64, 0))}};
      };
      const kernel::Scalar place = b.reduce({n},
                                            kernel::Tree::sequential,
                                            {kernel::Combiner::add},
                                            {b.constant(int64, 0)},
                                            before)[0];
      kernel::Index to = i;
      to[along] = b.affine(place);
      for (int k = 0; k < keys + values; ++k) nest.write(k, to, nest.read(k, i));
    });
  }

  void reference(ConstTensors in, Tensors out) const {
    const Shape& shape = in[0].type.shape;
    const std::int64_t n = size_at(shape, axis);
    const std::int64_t stride = strides_of(shape)[static_cast<std::size_t>(axis)];
    const std::int64_t lines = n ? element_count(shape) / n : 0;
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t line = 0; line < lines; ++line) {
      const std::int64_t first = line / stride * stride * n + line % stride;
      std::iota(order.begin(), order.end(), 0);
      for (int k = keys; k-- > 0;) {
        by_dtype(in[static_cast<std::size_t>(k)].type.dtype, [&](auto tag) {
          using T = typename decltype(tag)::type;
          if constexpr (!host_complex<T>) {
            const T* x = in[static_cast<std::size_t>(k)].as<T>() + first;
            std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
              return descending ? precedes(x[b * stride], x[a * stride])
                                : precedes(x[a * stride], x[b * stride]);
            });
          }
        });
      }
      for (std::size_t k = 0; k < in.size(); ++k)
        for (std::int64_t j = 0; j < n; ++j)
          copy_element(out[k],
                       first + j * stride,
                       in[k],
                       first + order[static_cast<std::size_t>(j)] * stride);
    }
  }
};

constexpr const Rules* rules[] = {rules_of<Sort>()};

}  // namespace

std::span<const Rules* const> sort_rules() { return rules; }

ArrayList sort(Arrays operands, int axis, int keys, bool descending, const Site& site) {
  if (keys < 1 || keys > static_cast<int>(operands.size())) {
    fail("sort",
         site,
         "sort: " + std::to_string(keys) + " keys of " + std::to_string(operands.size()) +
             " operands",
         {},
         "the keys are the first operands");
  }
  const int values = static_cast<int>(operands.size()) - keys;
  return emit_all(Sort{axis, keys, values, descending}, operands, site);
}

}  // namespace fluxion::ops
