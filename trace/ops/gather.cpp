// Slices of an array at computed positions: StableHLO's gather with batching dimensions.
#include "trace/ops/axes.hpp"
#include "trace/ops/positions.hpp"

#include <algorithm>
#include <limits>

namespace fluxion::ops {
std::span<const Rules* const> gather_rules();

namespace {

struct Gather {
  static constexpr auto name = "gather";
  std::vector<int> offset_dims, collapsed_slice_dims, operand_batching_dims;
  std::vector<int> start_indices_batching_dims, start_index_map;
  int index_vector_dim = 0;
  std::vector<std::int64_t> slice_sizes;
  OutOfBounds mode = OutOfBounds::fill;
  bool fill_zero = false;  // what a slice that does not fit holds; otherwise NaN and its like
  bool unique = false;     // a promise: no element is taken twice

  Positions positions() const {
    return {operand_batching_dims, start_indices_batching_dims, start_index_map, index_vector_dim};
  }
  /// The operand's axes that the result has, in order.
  std::vector<int> offset_axes() const {
    return other_axes(
        static_cast<int>(slice_sizes.size()), collapsed_slice_dims, operand_batching_dims);
  }

  [[noreturn]] static void refuse(const std::string& sentence, TypeList in) {
    fail("gather",
         Site(),
         "gather: " + sentence,
         {"operand " + to_string(in[0]), "indices " + to_string(in[1])});
  }

  Types types(TypeList in) const {
    check_positions("gather", positions(), in[0], in[1]);
    const int rank = rank_of(in[0]);
    check_axes("gather", "collapsed_slice_dims", collapsed_slice_dims, rank);
    if (static_cast<int>(slice_sizes.size()) != rank) {
      refuse(
          std::to_string(slice_sizes.size()) + " slice sizes for " + std::to_string(rank) + " axes",
          in);
    }
    for (int k = 0; k < rank; ++k) {
      const std::int64_t size = slice_sizes[static_cast<std::size_t>(k)];
      const bool one =
          position_of(k, collapsed_slice_dims) >= 0 || position_of(k, operand_batching_dims) >= 0;
      if (size < 0 || size > size_at(in[0].shape, k) || (one && size != 1)) {
        refuse("a slice of size " + std::to_string(size) + " along axis " + std::to_string(k) +
                   " of size " + std::to_string(size_at(in[0].shape, k)) +
                   (one ? ", where it must be 1" : ""),
               in);
      }
    }
    const std::vector<int> offsets = offset_axes();
    const Shape batch = positions().shape(in[1].shape);
    const int result_rank = static_cast<int>(batch.size() + offset_dims.size());
    check_axes("gather", "offset_dims", offset_dims, result_rank);
    if (offsets.size() != offset_dims.size()) {
      refuse(std::to_string(offset_dims.size()) + " offset_dims for slices with " +
                 std::to_string(offsets.size()) + " axes",
             in);
    }
    Type result{{}, in[0].dtype};
    std::size_t outer = 0;
    for (int axis = 0; axis < result_rank; ++axis) {
      const int offset = position_of(axis, offset_dims);
      if (offset < 0)
        result.shape.push_back(batch[outer++]);
      else
        result.shape.push_back(
            slice_sizes[static_cast<std::size_t>(offsets[static_cast<std::size_t>(offset)])]);
    }
    return {result};
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    Gather tangent = *this;
    tangent.fill_zero = true;
    return {emit(tangent, {dx[0], x[1]}, rule_site())};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !out.needed(0)) return;
    ScatterDimensions dimensions{offset_dims,
                                 collapsed_slice_dims,
                                 operand_batching_dims,
                                 start_indices_batching_dims,
                                 start_index_map,
                                 index_vector_dim};
    out.replace(0,
                scatter(Update::add,
                        out.buffer(0),
                        x.value(1),
                        ct[0],
                        dimensions,
                        mode,
                        {.unique = unique},
                        rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    Gather wider = *this;
    const bool operand = at[0] != unbatched, indices = at[1] != unbatched;
    wider.offset_dims = shifted(offset_dims);
    if (operand) {
      wider.collapsed_slice_dims = shifted(collapsed_slice_dims);
      wider.operand_batching_dims = shifted(operand_batching_dims);
      wider.start_index_map = shifted(start_index_map);
    }
    if (indices) {
      wider.start_indices_batching_dims = shifted(start_indices_batching_dims);
      wider.index_vector_dim = index_vector_dim + 1;
    }
    wider.unique = unique && (operand || !indices);
    if (operand && indices) {
      if (size == 0) return {{zeros_of(empty_result(x, at))}, {0}};
      wider.operand_batching_dims = prepended(0, wider.operand_batching_dims);
      wider.start_indices_batching_dims = prepended(0, wider.start_indices_batching_dims);
      wider.slice_sizes.insert(wider.slice_sizes.begin(), 1);
    } else if (operand) {
      wider.offset_dims = prepended(0, wider.offset_dims);
      wider.slice_sizes.insert(wider.slice_sizes.begin(), size);
    }
    const Array source = operand ? move_axis(x[0], at[0], 0) : x[0];
    const Array where = indices ? move_axis(x[1], at[1], 0) : x[1];
    return {{emit(wider, {source, where}, rule_site())}, {0}};
  }

  /// The type of a batch of no results.
  Type empty_result(Arrays x, BatchAxes at) const {
    const Type example = types(
        std::vector<Type>{{without_axis(type_of(x[0]).shape, at[0]), type_of(x[0]).dtype},
                          {without_axis(type_of(x[1]).shape, at[1]), type_of(x[1]).dtype}})[0];
    return {with_axis(example.shape, 0, 0), example.dtype};
  }

  kernel::Scalar fill(kernel::Builder& b, DType dtype) const {
    if (fill_zero) return b.constant(dtype, 0);
    if (is_floating(dtype)) return b.constant(dtype, std::numeric_limits<double>::quiet_NaN());
    if (dtype == bool_) return b.constant(dtype, 1);
    if (is_unsigned(dtype))
      return b.constant_bits(dtype, ~std::uint64_t{0} >> (64 - 8 * size_of(dtype)));
    if (is_signed_integer(dtype))
      return b.constant_bits(dtype, std::uint64_t{1} << (8 * size_of(dtype) - 1));
    return b.constant(dtype, std::numeric_limits<double>::quiet_NaN());
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Builder& b = x.builder();
    const Shape& operand = x.operand(0).shape;
    const std::vector<int> offsets = offset_axes();
    kernel::Index batch, index(operand.size());
    for (std::size_t k = 0; k < i.size(); ++k) {
      if (position_of(static_cast<int>(k), offset_dims) < 0) batch.push_back(i[k]);
    }
    const kernel::Scalar inside = positions().place(x, 1, batch, operand, slice_sizes, mode, index);
    for (std::size_t k = 0; k < offsets.size(); ++k) {
      index[static_cast<std::size_t>(offsets[k])] += i[static_cast<std::size_t>(offset_dims[k])];
    }
    if (mode != OutOfBounds::fill) return x.read(0, index);
    return x.read(0, index, inside, fill(b, x.operand(0).dtype));
  }

  void reference(ConstTensors in, Tensors out) const {
    const std::vector<int> offsets = offset_axes();
    const std::vector<std::int64_t> strides = strides_of(in[0].type.shape);
    for_each_index(out[0].type.shape, [&](const auto& index, std::int64_t flat) {
      std::vector<std::int64_t> batch;
      for (std::size_t k = 0; k < index.size(); ++k) {
        if (position_of(static_cast<int>(k), offset_dims) < 0) batch.push_back(index[k]);
      }
      std::vector<std::int64_t> start;
      if (!positions().start(in[1], batch, in[0].type.shape, slice_sizes, mode, start)) {
        store_fill(out[0], flat);
        return;
      }
      std::int64_t from = 0;
      for (std::size_t k = 0; k < start.size(); ++k) from += start[k] * strides[k];
      for (std::size_t k = 0; k < offsets.size(); ++k) {
        from += index[static_cast<std::size_t>(offset_dims[k])] *
                strides[static_cast<std::size_t>(offsets[k])];
      }
      copy_element(out[0], flat, in[0], from);
    });
  }

  void store_fill(const Tensor& out, std::int64_t flat) const {
    by_dtype(out.type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      T& to = out.as<T>()[flat];
      constexpr float nan = std::numeric_limits<float>::quiet_NaN();
      if (fill_zero)
        to = T();
      else if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>)
        to = T{nan, nan};
      else if constexpr (std::is_class_v<T> || std::is_floating_point_v<T>)
        to = T(nan);
      else if constexpr (std::is_signed_v<T>)
        to = std::numeric_limits<T>::min();
      else
        to = std::numeric_limits<T>::max();
    });
  }
};

Gather gather_of(const GatherDimensions& d,
                 const std::vector<std::int64_t>& slice_sizes,
                 OutOfBounds mode) {
  return {d.offset_dims,
          d.collapsed_slice_dims,
          d.operand_batching_dims,
          d.start_indices_batching_dims,
          d.start_index_map,
          d.index_vector_dim,
          slice_sizes,
          mode,
          false,
          false};
}

constexpr const Rules* rules[] = {rules_of<Gather>()};

}  // namespace

std::span<const Rules* const> gather_rules() { return rules; }

Array gather(const Array& x,
             const Array& indices,
             const GatherDimensions& dimensions,
             const std::vector<std::int64_t>& slice_sizes,
             OutOfBounds mode,
             const Site& site) {
  return emit(gather_of(dimensions, slice_sizes, mode), {x, indices}, site);
}

Array gather_or_zero(const Array& x,
                     const Array& indices,
                     const GatherDimensions& dimensions,
                     const std::vector<std::int64_t>& slice_sizes,
                     OutOfBounds mode,
                     const Site& site) {
  Gather op = gather_of(dimensions, slice_sizes, mode);
  op.fill_zero = true;
  return emit(op, {x, indices}, site);
}

Array gather_flat(const Array& x, const Array& flat_indices, bool unique, const Site& site) {
  const std::int64_t count = element_count(type_of(x).shape);
  GatherDimensions dimensions;
  dimensions.collapsed_slice_dims = dimensions.start_index_map = {0};
  dimensions.index_vector_dim = rank_of(flat_indices);
  Gather op = gather_of(dimensions, {1}, OutOfBounds::promise_in_bounds);
  op.unique = unique;
  return emit(op, {reshape(x, {count}, site), flat_indices}, site);
}

}  // namespace fluxion::ops
