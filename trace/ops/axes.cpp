// Axis arithmetic that the operations on shapes share: permutations, strides, moving batch axes.
#include "trace/ops/axes.hpp"

#include <algorithm>
#include <numeric>

namespace fluxion::ops {

std::vector<int> counted_axes(int count) {
  std::vector<int> axes(static_cast<std::size_t>(count));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

int position_of(int axis, const std::vector<int>& axes) {
  auto found = std::find(axes.begin(), axes.end(), axis);
  return found == axes.end() ? -1 : static_cast<int>(found - axes.begin());
}

std::vector<int> other_axes(int rank, const std::vector<int>& axes, const std::vector<int>& more) {
  std::vector<int> others;
  for (int axis = 0; axis < rank; ++axis) {
    if (position_of(axis, axes) < 0 && position_of(axis, more) < 0) others.push_back(axis);
  }
  return others;
}

std::vector<int> inverse(const std::vector<int>& permutation) {
  std::vector<int> result(permutation.size());
  for (std::size_t k = 0; k < permutation.size(); ++k) {
    result[static_cast<std::size_t>(permutation[k])] = static_cast<int>(k);
  }
  return result;
}

std::vector<int> shifted(std::vector<int> axes, int by) {
  for (int& axis : axes) axis += by;
  return axes;
}

std::vector<int> around(std::vector<int> axes, int at) {
  for (int& axis : axes) axis += axis >= at;
  return axes;
}

std::vector<int> prepended(int first, std::vector<int> rest) {
  rest.insert(rest.begin(), first);
  return rest;
}

int rank_of(const Array& x) { return rank_of(type_of(x)); }

std::int64_t size_at(const Shape& shape, int axis) { return shape[static_cast<std::size_t>(axis)]; }

Shape with_axis(const Shape& shape, int at, std::int64_t size) {
  Shape result;
  for (int k = 0; k <= static_cast<int>(shape.size()); ++k) {
    if (k == at) result.push_back(size);
    if (k < static_cast<int>(shape.size())) result.push_back(size_at(shape, k));
  }
  return result;
}

Shape without_axis(const Shape& shape, int at) {
  Shape result;
  for (int k = 0; k < static_cast<int>(shape.size()); ++k) {
    if (k != at) result.push_back(size_at(shape, k));
  }
  return result;
}

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t k = shape.size(); k-- > 0;) {
    strides[k] = stride;
    stride *= shape[k];
  }
  return strides;
}

Array move_axis(const Array& x, int from, int to) {
  if (from == to) return x;
  std::vector<int> permutation = other_axes(rank_of(x), {from});
  permutation.insert(permutation.begin() + to, from);
  return transpose(x, permutation, rule_site());
}

Array batch_first(const Array& x, int axis, std::int64_t size) {
  if (axis != unbatched) return move_axis(x, axis, 0);
  const Shape shape = with_axis(type_of(x).shape, 0, size);
  return broadcast_in_dim(x, shape, shifted(counted_axes(rank_of(x))), rule_site());
}

Array merge_axis(const Array& x, int from, int into) {
  const Array moved = move_axis(x, from, into);
  const Shape& shape = type_of(moved).shape;
  Shape merged;
  for (int k = 0; k < static_cast<int>(shape.size()); ++k) {
    if (k == into) continue;
    merged.push_back(k == into + 1 ? size_at(shape, into) * size_at(shape, k) : size_at(shape, k));
  }
  return reshape(moved, merged, rule_site());
}

Array split_axis(const Array& x, int axis, std::int64_t outer) {
  const Shape& shape = type_of(x).shape;
  Shape split;
  for (int k = 0; k < static_cast<int>(shape.size()); ++k) {
    if (k != axis) {
      split.push_back(size_at(shape, k));
      continue;
    }
    split.push_back(outer);
    split.push_back(outer ? size_at(shape, k) / outer : 0);
  }
  return reshape(x, split, rule_site());
}

Array sum_of(const Array& a, const Array& b) {
  if (!defined(a)) return b;
  if (!defined(b)) return a;
  return binary("add", a, b, rule_site());
}

Array or_zeros(const Array& x, const Type& type) { return defined(x) ? x : zeros_of(type); }

Array filled(double value, const Type& type) {
  return broadcast_in_dim(literal(value, type.dtype), type.shape, {}, rule_site());
}

namespace {
template <class List> std::string text_of(const List& list) {
  std::string text = "{";
  for (auto value : list) text += (text.size() > 1 ? "," : "") + std::to_string(value);
  return text + "}";
}
}  // namespace

std::string list_text(const std::vector<int>& list) { return text_of(list); }
std::string list_text(const std::vector<std::int64_t>& list) { return text_of(list); }

void check_axes(std::string_view operation,
                std::string_view what,
                const std::vector<int>& axes,
                int rank) {
  const std::string begin = std::string(operation) + ": " + std::string(what);
  for (std::size_t k = 0; k < axes.size(); ++k) {
    if (axes[k] < 0 || axes[k] >= rank) {
      fail("axis",
           Site(),
           begin + " has axis " + std::to_string(axes[k]) + ", which an array with " +
               std::to_string(rank) + (rank == 1 ? " axis" : " axes") + " does not have",
           {std::string(what) + " " + list_text(axes)});
    }
    if (std::find(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(k), axes[k]) !=
        axes.begin() + static_cast<std::ptrdiff_t>(k)) {
      fail("axis",
           Site(),
           begin + " names axis " + std::to_string(axes[k]) + " twice",
           {std::string(what) + " " + list_text(axes)});
    }
  }
}

void check_real(std::string_view operation, const Type& type) {
  if (!is_complex(type.dtype)) return;
  fail("complex",
       Site(),
       std::string(operation) + ": computes with real numbers only, not " + to_string(type.dtype),
       {"operand " + to_string(type)},
       "take a part of it: fx::real(x), fx::imag(x) or fx::abs(x)");
}

void check_same_dtype(std::string_view operation, const Type& a, const Type& b) {
  if (a.dtype == b.dtype) return;
  fail("dtype",
       Site(),
       std::string(operation) + ": the operands' dtypes differ, " + to_string(a.dtype) + " and " +
           to_string(b.dtype),
       {"lhs " + to_string(a), "rhs " + to_string(b)},
       "convert one of them with astype");
}

}  // namespace fluxion::ops
