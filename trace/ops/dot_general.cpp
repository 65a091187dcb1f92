// Sums of products over contracted axes: matrix products of every shape.
#include "trace/ops/dot_general.hpp"

#include "trace/ops/complex_sum.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> dot_general_rules();

namespace {

/// One side of the product: which of its axes are what.
struct Side {
  Shape shape;
  std::vector<int> batch, free, contract;
  std::vector<std::int64_t> strides;
  Side(const Shape& s, const std::vector<int>& b, const std::vector<int>& c)
      : shape(s),
        batch(b),
        free(other_axes(static_cast<int>(s.size()), b, c)),
        contract(c),
        strides(strides_of(s)) {}
  /// Calls visit(axis, position in i) for the batch and free axes; the free ones begin at `first`.
  template <class Visit> void result_axes(std::size_t first, Visit&& visit) const {
    for (std::size_t k = 0; k < batch.size(); ++k) visit(static_cast<std::size_t>(batch[k]), k);
    for (std::size_t k = 0; k < free.size(); ++k)
      visit(static_cast<std::size_t>(free[k]), first + k);
  }
};

/// Some axes of two arrays, seen as one: its size, and its stride in each array.
struct Collapsed {
  bool fits = true;
  std::int64_t size = 1, first_stride = 0, second_stride = 0;
  /// Takes one more axis inside of those so far.
  void add(std::int64_t n, std::int64_t first, std::int64_t second) {
    if (n == 1) return;
    if (size > 1) fits = fits && first_stride == first * n && second_stride == second * n;
    size *= n;
    first_stride = first;
    second_stride = second;
  }
};

struct DotGeneral {
  static constexpr auto name = "dot_general";
  std::vector<int> lhs_contract, rhs_contract, lhs_batch, rhs_batch;
  DType dtype = float32;  // of the sums and the result

  Side lhs(const Shape& shape) const { return {shape, lhs_batch, lhs_contract}; }
  Side rhs(const Shape& shape) const { return {shape, rhs_batch, rhs_contract}; }

  void check_dtypes(TypeList in) const {
    check_same_dtype("dot", in[0], in[1]);
    if (in[0].dtype == bool_) {
      fail("dtype",
           Site(),
           "dot: bool operands have no product",
           {"lhs " + to_string(in[0]), "rhs " + to_string(in[1])},
           "convert them with astype");
    }
    const bool same_kind = (is_floating(in[0].dtype) && is_floating(dtype)) ||
                           (is_signed_integer(in[0].dtype) && is_signed_integer(dtype)) ||
                           (is_unsigned(in[0].dtype) && is_unsigned(dtype)) ||
                           (is_complex(in[0].dtype) && is_complex(dtype));
    if (in[0].dtype == dtype || (same_kind && size_of(dtype) > size_of(in[0].dtype))) return;
    fail("dtype",
         Site(),
         "dot: products of " + to_string(in[0].dtype) + " cannot be summed in " + to_string(dtype),
         {},
         "the result's dtype must be of the same kind and no narrower");
  }

  void check_pair(TypeList in,
                  std::string_view what,
                  const std::vector<int>& left,
                  const std::vector<int>& right) const {
    const std::string verb(what);
    if (left.size() != right.size()) {
      fail("dot-axes",
           Site(),
           "dot: lhs has " + std::to_string(left.size()) + " " + verb + " axes, rhs " +
               std::to_string(right.size()),
           {"lhs " + to_string(in[0]) + " " + list_text(left),
            "rhs " + to_string(in[1]) + " " + list_text(right)});
    }
    for (std::size_t k = 0; k < left.size(); ++k) {
      const std::int64_t a = size_at(in[0].shape, left[k]), b = size_at(in[1].shape, right[k]);
      if (a == b) continue;
      std::string lhs = "lhs " + to_string(in[0]), rhs = "rhs " + to_string(in[1]);
      const std::size_t width = std::max(lhs.size(), rhs.size()) + 2;
      lhs.resize(width, ' ');
      rhs.resize(width, ' ');
      const std::string pairs = verb == "batch" ? "batches" : "contracts";
      const bool bias = verb == "contracted" && (a == b + 1 || b == a + 1);
      fail("dot-sizes",
           Site(),
           "dot: the " + verb + " sizes differ, " + std::to_string(a) + " and " + std::to_string(b),
           {lhs + pairs + " axis " + std::to_string(left[k]) + " (" + std::to_string(a) + ")",
            rhs + pairs + " axis " + std::to_string(right[k]) + " (" + std::to_string(b) + ")"},
           bias ? "did the input layer forget its bias column?" : "");
    }
  }

  Types types(TypeList in) const {
    check_axes("dot", "lhs axes", prepend_all(lhs_batch, lhs_contract), rank_of(in[0]));
    check_axes("dot", "rhs axes", prepend_all(rhs_batch, rhs_contract), rank_of(in[1]));
    check_pair(in, "batch", lhs_batch, rhs_batch);
    check_pair(in, "contracted", lhs_contract, rhs_contract);
    check_dtypes(in);
    Type result{{}, dtype};
    for (int axis : lhs_batch) result.shape.push_back(size_at(in[0].shape, axis));
    for (int axis : lhs(in[0].shape).free) result.shape.push_back(size_at(in[0].shape, axis));
    for (int axis : rhs(in[1].shape).free) result.shape.push_back(size_at(in[1].shape, axis));
    return {result};
  }

  static std::vector<int> prepend_all(std::vector<int> first, const std::vector<int>& rest) {
    first.insert(first.end(), rest.begin(), rest.end());
    return first;
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    Array tangent;
    if (defined(dx[0])) tangent = emit(*this, {dx[0], x[1]}, rule_site());
    if (defined(dx[1])) tangent = sum_of(tangent, emit(*this, {x[0], dx[1]}, rule_site()));
    return {tangent};
  }

  // The cotangent keeps the operand's batch and free axes; its contraction with the other operand's
  // free axes gives the contracted ones back, in the other operand's order.
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0])) return;
    const Side left = lhs(x.type(0).shape), right = rhs(x.type(1).shape);
    for (std::size_t k = 0; k < 2; ++k) {
      if (!x.linear(k) || !out.needed(k)) continue;
      const Side &own = k ? right : left, &other = k ? left : right;
      const int batch = static_cast<int>(own.batch.size());
      const int first = batch + static_cast<int>(k ? 0 : left.free.size());
      const std::vector<int> over =
          shifted(counted_axes(static_cast<int>(other.free.size())), first);
      const Array known = convert(x.value(1 - k), dtype, rule_site());
      const DotGeneral product{over, other.free, counted_axes(batch), other.batch, dtype};
      // [batch, own free, contracted axes as they are in the other operand, ascending]
      const Array flat = emit(product, {ct[0], known}, rule_site());
      std::vector<int> order(own.contract.size());
      for (std::size_t c = 0; c < order.size(); ++c) order[c] = static_cast<int>(c);
      std::sort(order.begin(), order.end(), [&](int a, int b) {
        return other.contract[static_cast<std::size_t>(a)] <
               other.contract[static_cast<std::size_t>(b)];
      });
      std::vector<int> axes = prepend_all(own.batch, own.free);
      for (int c : order) axes.push_back(own.contract[static_cast<std::size_t>(c)]);
      const Array ordered = ops::transpose(flat, inverse(axes), rule_site());
      out.add(k, convert(ordered, x.type(k).dtype, rule_site()));
    }
  }

  static Array convert(const Array& x, DType to, const Site& site) {
    return type_of(x).dtype == to ? x : ops::convert(x, to, site);
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    DotGeneral wider = *this;
    for (auto axes : {&DotGeneral::lhs_contract, &DotGeneral::lhs_batch}) {
      if (at[0] != unbatched) wider.*axes = around(wider.*axes, at[0]);
    }
    for (auto axes : {&DotGeneral::rhs_contract, &DotGeneral::rhs_batch}) {
      if (at[1] != unbatched) wider.*axes = around(wider.*axes, at[1]);
    }
    const Side left = wider.lhs(type_of(x[0]).shape), right = wider.rhs(type_of(x[1]).shape);
    int axis = 0;
    if (at[0] != unbatched && at[1] != unbatched) {
      wider.lhs_batch = prepended(at[0], wider.lhs_batch);
      wider.rhs_batch = prepended(at[1], wider.rhs_batch);
    } else if (at[0] != unbatched) {
      axis = static_cast<int>(left.batch.size()) + position_of(at[0], left.free);
    } else {
      axis =
          static_cast<int>(left.batch.size() + left.free.size()) + position_of(at[1], right.free);
    }
    return {{emit(wider, {x[0], x[1]}, rule_site())}, {axis}};
  }

  DType accumulator() const { return size_of(dtype) == 2 && is_floating(dtype) ? float32 : dtype; }

  /// The order in which contracted axes are walked, innermost last, and the tree of the sum: where
  /// both operands contract their last axes with each other, that pair is contiguous.
  std::pair<std::vector<std::size_t>, kernel::Tree> walk(const Side& left,
                                                         const Side& right) const {
    std::vector<std::size_t> order;
    kernel::Tree tree = kernel::Tree::sequential;
    std::size_t last = left.contract.size();
    for (std::size_t k = 0; k < left.contract.size(); ++k) {
      const bool both = left.contract[k] + 1 == static_cast<int>(left.shape.size()) &&
                        right.contract[k] + 1 == static_cast<int>(right.shape.size());
      if (both)
        last = k;
      else
        order.push_back(k);
    }
    if (last < left.contract.size()) {
      order.push_back(last);
      if (size_at(left.shape, left.contract[last]) >= 32) tree = kernel::Tree::lanes;
    }
    return {order, tree};
  }

  void body(kernel::Nest& nest) const {
    const Side left = lhs(nest.operand(0).shape), right = rhs(nest.operand(1).shape);
    nest.phase(nest.result().shape, [this, &nest, left, right](const kernel::Index& i) {
      kernel::Index l(left.shape.size()), r(right.shape.size());
      const std::size_t batch = left.batch.size();
      left.result_axes(batch, [&](std::size_t axis, std::size_t k) { l[axis] = i[k]; });
      right.result_axes(batch + left.free.size(),
                        [&](std::size_t axis, std::size_t k) { r[axis] = i[k]; });
      nest.write(0, i, kernel::convert(sum(nest, left, right, l, r), part_type(dtype)));
    });
  }

  /// The sum over the contracted axes, whose places in l and r are still open.
  kernel::Scalar sum(kernel::Nest& nest,
                     const Side& left,
                     const Side& right,
                     kernel::Index l,
                     kernel::Index r) const {
    const auto [order, tree] = walk(left, right);
    const DType type = part_type(accumulator());
    auto place = [&, order = order](const kernel::Index& j) {
      for (std::size_t k = 0; k < order.size(); ++k) {
        l[static_cast<std::size_t>(left.contract[order[k]])] = j[k];
        r[static_cast<std::size_t>(right.contract[order[k]])] = j[k];
      }
    };
    Shape extents;
    for (std::size_t k : order) extents.push_back(size_at(left.shape, left.contract[k]));
    if (is_complex(dtype)) {
      return complex_sum(nest, extents, tree, type, [&](const kernel::Index& j) {
        place(j);
        return std::pair{nest.read_complex(0, l), nest.read_complex(1, r)};
      });
    }
    auto factors = [&](const kernel::Index& j) {
      place(j);
      return std::pair{kernel::convert(nest.read(0, l), type),
                       kernel::convert(nest.read(1, r), type)};
    };
    if (order.empty()) {
      auto [a, b] = factors({});
      return a * b;
    }
    const kernel::Scalar zero = nest.builder().constant(type, 0);
    auto element = [&](const kernel::Index& j) {
      using Element = kernel::Builder::Element;
      auto [a, b] = factors(j);
      return std::vector<Element>{is_floating(type) ? Element{a, b} : Element{a * b}};
    };
    return nest.builder().reduce(extents, tree, {kernel::Combiner::add}, {zero}, element)[0];
  }

  LeafSpec leaf(TypeList in, TypeList out) const {
    if (!is_floating(in[0].dtype) || element_count(out[0].shape) == 0) return {};
    const Side left = lhs(in[0].shape), right = rhs(in[1].shape);
    auto stride = [](const Side& side, int axis) {
      return side.strides[static_cast<std::size_t>(axis)];
    };
    Collapsed batch, rows, columns, inner;
    for (std::size_t k = 0; k < left.batch.size(); ++k) {
      batch.add(size_at(left.shape, left.batch[k]),
                stride(left, left.batch[k]),
                stride(right, right.batch[k]));
    }
    for (int axis : left.free) rows.add(size_at(left.shape, axis), stride(left, axis), 0);
    for (int axis : right.free) columns.add(size_at(right.shape, axis), 0, stride(right, axis));
    std::vector<std::size_t> order = walk(left, right).first;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return left.contract[a] < left.contract[b];
    });
    for (std::size_t k : order) {
      inner.add(size_at(left.shape, left.contract[k]),
                stride(left, left.contract[k]),
                stride(right, right.contract[k]));
    }
    if (!batch.fits || !rows.fits || !columns.fits || !inner.fits || inner.size == 0) return {};
    MatmulSpec spec{in[0].dtype,
                    dtype,
                    batch.size,
                    rows.size,
                    columns.size,
                    inner.size,
                    {batch.first_stride, rows.first_stride, inner.first_stride},
                    {batch.second_stride, inner.second_stride, columns.second_stride},
                    {rows.size * columns.size, columns.size, 1}};
    // An axis of one element may have any stride: the one of a dense matrix suits every library.
    auto dense = [](std::int64_t size, std::int64_t& own, std::int64_t others, std::int64_t reach) {
      if (size == 1) own = std::max<std::int64_t>(1, others * reach);
    };
    dense(spec.k, spec.a_strides[2], 1, 1);
    dense(spec.m, spec.a_strides[1], spec.a_strides[2], spec.k);
    dense(spec.n, spec.b_strides[2], 1, 1);
    dense(spec.k, spec.b_strides[1], spec.b_strides[2], spec.n);
    return spec;
  }

  void reference(ConstTensors in, Tensors out) const;
};

/// Element i in a wider type of its kind: double for floats, uint64 (which wraps as every narrower
/// type does) for integers.
template <class Wide> Wide read_wide(const ConstTensor& x, std::int64_t i) {
  return by_dtype(x.type.dtype, [&](auto tag) -> Wide {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<Wide, WideComplex>)
      return to_wide_complex(x.as<T>()[i]);
    else if constexpr (host_complex<T>)
      throw InternalError("dot: a sum of complex numbers that is real");
    else if constexpr (std::is_class_v<T>)
      return static_cast<Wide>(static_cast<float>(x.as<T>()[i]));
    else
      return static_cast<Wide>(x.as<T>()[i]);
  });
}

/// The sum for one element of the result: over all indices of the contracted axes.
template <class Wide, class Sum>
Sum sum_of_products(ConstTensors in, const DotGeneral& op, std::int64_t l, std::int64_t r) {
  const auto left = strides_of(in[0].type.shape), right = strides_of(in[1].type.shape);
  Shape extents;
  for (int axis : op.lhs_contract) extents.push_back(size_at(in[0].type.shape, axis));
  Sum sum = 0;
  for_each_index(extents, [&](const auto& index, std::int64_t) {
    std::int64_t a = l, b = r;
    for (std::size_t k = 0; k < index.size(); ++k) {
      a += index[k] * left[static_cast<std::size_t>(op.lhs_contract[k])];
      b += index[k] * right[static_cast<std::size_t>(op.rhs_contract[k])];
    }
    sum +=
        static_cast<Sum>(read_wide<Wide>(in[0], a)) * static_cast<Sum>(read_wide<Wide>(in[1], b));
  });
  return sum;
}

void DotGeneral::reference(ConstTensors in, Tensors out) const {
  const Side left = lhs(in[0].type.shape), right = rhs(in[1].type.shape);
  for_each_index(out[0].type.shape, [&](const auto& index, std::int64_t flat) {
    std::int64_t l = 0, r = 0;
    const std::size_t batch = left.batch.size();
    left.result_axes(batch,
                     [&](std::size_t axis, std::size_t k) { l += index[k] * left.strides[axis]; });
    right.result_axes(batch + left.free.size(), [&](std::size_t axis, std::size_t k) {
      r += index[k] * right.strides[axis];
    });
    by_dtype(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      T& to = out[0].template as<T>()[flat];
      if constexpr (host_complex<T>)
        to = from_wide_complex<T>(sum_of_products<WideComplex, WideComplex>(in, *this, l, r));
      else if constexpr (std::is_class_v<T>)
        to = T(sum_of_products<double, float>(in, *this, l, r));
      else if constexpr (std::is_floating_point_v<T>)
        to = sum_of_products<double, T>(in, *this, l, r);
      else
        to = static_cast<T>(sum_of_products<std::uint64_t, std::uint64_t>(in, *this, l, r));
    });
  });
}

constexpr const Rules* rules[] = {rules_of<DotGeneral>()};

// Of a product for which a copy of the right operand by columns is little work.
constexpr std::int64_t least_rows = 16, least_columns = 32;

/// Whether the axes of each list, in its order, are one axis of a single stride.
bool collapses(const Side& side, std::initializer_list<std::vector<int>> lists) {
  for (const std::vector<int>& axes : lists) {
    Collapsed one;
    for (int axis : axes) {
      one.add(size_at(side.shape, axis), side.strides[static_cast<std::size_t>(axis)], 0);
    }
    if (!one.fits) return false;
  }
  return true;
}

/// `axes` of the first side, then `partners` of the second, both in ascending order of the first.
std::pair<std::vector<int>, std::vector<int>> ascending(const std::vector<int>& axes,
                                                        const std::vector<int>& partners) {
  std::vector<std::pair<int, int>> pairs;
  for (std::size_t k = 0; k < axes.size(); ++k) pairs.push_back({axes[k], partners[k]});
  std::sort(pairs.begin(), pairs.end());
  std::pair<std::vector<int>, std::vector<int>> sorted;
  for (auto [axis, partner] : pairs) {
    sorted.first.push_back(axis);
    sorted.second.push_back(partner);
  }
  return sorted;
}

}  // namespace

std::span<const Rules* const> dot_general_rules() { return rules; }

Array dot_general(const Array& lhs,
                  const Array& rhs,
                  const DotDimensions& dimensions,
                  const Site& site,
                  std::optional<DType> result) {
  const DType dtype = result ? *result : defined(lhs) ? type_of(lhs).dtype : float32;
  return emit(DotGeneral{dimensions.lhs_contract,
                         dimensions.rhs_contract,
                         dimensions.lhs_batch,
                         dimensions.rhs_batch,
                         dtype},
              {lhs, rhs},
              site);
}

std::optional<Op> dot_over_rows(const Op& op) {
  const auto* dot = op.as<DotGeneral>();
  if (!dot) return {};
  DotGeneral over = *dot;
  for (auto* axes : {&over.lhs_contract, &over.rhs_contract, &over.lhs_batch, &over.rhs_batch})
    for (int& axis : *axes) ++axis;
  for (auto* axes : {&over.lhs_contract, &over.rhs_contract}) axes->insert(axes->begin(), 0);
  return over;
}

std::optional<DotArrangement> dot_arrangement(const Op& op, TypeList operands) {
  constexpr std::int64_t least_work =
      1 << 16;  // multiplications; below, a copy costs more than it gains
  const auto* dot = op.as<DotGeneral>();
  if (!dot || !is_floating(operands[0].dtype)) return {};
  const Side left = dot->lhs(operands[0].shape), right = dot->rhs(operands[1].shape);
  std::int64_t rows = 1, columns = 1;
  for (int axis : left.free) rows *= size_at(left.shape, axis);
  for (int axis : right.free) columns *= size_at(right.shape, axis);
  if (element_count(left.shape) * columns < least_work) return {};
  auto [contract, partners] = ascending(left.contract, right.contract);
  // A kernel adds up vectors of columns in registers, where rows along lanes fill them with parts
  // of few sums; for a library both are the same.
  const bool no_library = operands[0].dtype == float64;
  const bool by_columns = no_library && dot->walk(left, right).second == kernel::Tree::lanes &&
                          rows >= least_rows && columns >= least_columns;
  const bool left_fits = no_library || collapses(left, {left.batch, left.free, contract});
  const bool right_fits =
      no_library ? !by_columns : collapses(right, {right.batch, right.free, partners});
  if (left_fits && right_fits) return {};
  const auto joined = [](std::vector<int> a, const std::vector<int>& b, const std::vector<int>& c) {
    return DotGeneral::prepend_all(DotGeneral::prepend_all(std::move(a), b), c);
  };
  DotArrangement result{counted_axes(static_cast<int>(left.shape.size())),
                        counted_axes(static_cast<int>(right.shape.size())),
                        {}};
  if (!left_fits) result.lhs_permutation = joined(left.batch, left.free, contract);
  if (!right_fits) result.rhs_permutation = joined(right.batch, partners, right.free);
  DotGeneral arranged = *dot;
  const auto place = [](std::vector<int>& axes, const std::vector<int>& permutation) {
    for (int& axis : axes) axis = position_of(axis, permutation);
  };
  place(arranged.lhs_batch, result.lhs_permutation);
  place(arranged.lhs_contract, result.lhs_permutation);
  place(arranged.rhs_batch, result.rhs_permutation);
  place(arranged.rhs_contract, result.rhs_permutation);
  result.dot = arranged;
  return result;
}

}  // namespace fluxion::ops
