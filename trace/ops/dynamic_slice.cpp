// Boxes of an array at a start that is computed, read and replaced; each is the other's transpose.
#include "trace/ops/dynamic_slice.hpp"

#include "trace/ops/axes.hpp"
#include "trace/ops/elementwise.hpp"
#include "trace/ops/positions.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> dynamic_slice_rules();

namespace {

/// Refuses starts that are not one integer scalar for each axis, and boxes larger than the operand.
void check_box(std::string_view operation,
               const Type& operand,
               TypeList start,
               std::span<const std::int64_t> sizes) {
  const std::string who(operation);
  const std::size_t rank = operand.shape.size();
  const auto refuse = [&](const std::string& sentence) {
    fail("slice", Site(), who + ": " + sentence, {"operand " + to_string(operand)});
  };
  if (start.size() != rank || sizes.size() != rank) {
    refuse(std::to_string(start.size()) + " starts and " + std::to_string(sizes.size()) +
           " sizes for " + std::to_string(rank) + " axes");
  }
  for (std::size_t k = 0; k < rank; ++k) {
    if (!is_integer(start[k].dtype) || !start[k].shape.empty())
      refuse("start " + std::to_string(k) + " is " + to_string(start[k]) +
             ", which is no integer scalar");
    if (sizes[k] < 0 || sizes[k] > operand.shape[k])
      refuse("a box of size " + std::to_string(sizes[k]) + " along axis " + std::to_string(k) +
             " of size " + std::to_string(operand.shape[k]));
  }
}

/// Where the box begins: operands `first`, `first` + 1, ... moved until it fits.
kernel::Index clamped(kernel::Reader& x, int first, const Shape& operand, const Shape& sizes) {
  kernel::Index start;
  for (std::size_t k = 0; k < operand.size(); ++k) {
    const kernel::Scalar component = x.read(first + static_cast<int>(k), {});
    start.push_back(clamped_start(x.builder(), component, operand[k] - sizes[k]));
  }
  return start;
}

std::vector<std::int64_t> clamped(ConstTensors start, const Shape& operand, const Shape& sizes) {
  std::vector<std::int64_t> at;
  for (std::size_t k = 0; k < operand.size(); ++k)
    at.push_back(std::clamp<std::int64_t>(index_at(start[k], 0), 0, operand[k] - sizes[k]));
  return at;
}

/// The flat number of each element of the box in an array of shape `operand`, in order.
template <class Visit>
void for_each_in_box(const std::vector<std::int64_t>& start,
                     const Shape& operand,
                     const Shape& sizes,
                     Visit&& visit) {
  const std::vector<std::int64_t> strides = strides_of(operand);
  for_each_index(sizes, [&](const auto& index, std::int64_t flat) {
    std::int64_t at = 0;
    for (std::size_t k = 0; k < index.size(); ++k) at += (start[k] + index[k]) * strides[k];
    visit(at, flat);
  });
}

/// Scalars with a zero put in for a batch axis at `axis`.
ArrayList with_zero(Arrays start, int axis) {
  ArrayList wider(start.begin(), start.end());
  const DType dtype = start.empty() ? int32 : type_of(start[0]).dtype;
  wider.insert(wider.begin() + axis, literal(0, dtype));
  return wider;
}

/// A start for each example as rows of a matrix, [size, axes].
Array rows_of(Arrays start, BatchAxes at, std::int64_t size) {
  bool alike = true;
  for (const Array& s : start) alike = alike && type_of(s).dtype == type_of(start[0]).dtype;
  ArrayList columns;
  for (std::size_t k = 0; k < start.size(); ++k) {
    Array column = start[k];
    if (!alike && type_of(column).dtype == uint64) {  // what int64 does not hold is past every end
      const Array most = filled(0x1p62, type_of(column));
      column = binary("min", column, most, rule_site());
    }
    if (!alike) column = convert(column, int64, rule_site());
    columns.push_back(at[k] == unbatched ? broadcast_in_dim(column, {size, 1}, {}, rule_site())
                                         : reshape(column, {size, 1}, rule_site()));
  }
  return concatenate(columns, 1, rule_site());
}

bool any_batched(BatchAxes at) {
  return std::any_of(at.begin(), at.end(), [](int axis) { return axis != unbatched; });
}

std::vector<int> axes_from_one(std::size_t rank) {
  return shifted(counted_axes(static_cast<int>(rank)));
}

struct DynamicSlice {
  static constexpr auto name = "dynamic_slice";
  std::vector<std::int64_t> sizes;

  Types types(TypeList in) const {
    check_box(name, in[0], in.subspan(1), sizes);
    return {{Shape(std::span<const std::int64_t>(sizes)), in[0].dtype}};
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    return {dynamic_slice(dx[0], x.subspan(1), sizes, rule_site())};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0]) || !out.needed(0)) return;
    ArrayList start;
    for (std::size_t k = 1; k < x.size(); ++k) start.push_back(x.value(k));
    const Array into = out.buffer(0);
    if (is_half(x.type(0).dtype)) {  // no 16-bit sums in place
      const Array sum = add(dynamic_slice(into, start, sizes, rule_site()), ct[0]);
      out.replace(0, dynamic_update_slice(Update::set, into, sum, start, rule_site()));
    } else {
      out.replace(0, dynamic_update_slice(Update::add, into, ct[0], start, rule_site()));
    }
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const Arrays start = x.subspan(1);
    if (!any_batched(at.subspan(1))) {
      std::vector<std::int64_t> wider = sizes;
      wider.insert(wider.begin() + at[0], size);
      return {{dynamic_slice(x[0], with_zero(start, at[0]), wider, rule_site())}, {at[0]}};
    }
    GatherDimensions dimensions;
    dimensions.offset_dims = axes_from_one(sizes.size());
    dimensions.index_vector_dim = 1;
    const bool operand = at[0] != unbatched;
    std::vector<std::int64_t> wider = sizes;
    if (operand) {
      if (size == 0) {
        Shape shape = {0};
        for (std::int64_t n : sizes) shape.push_back(n);
        return {{zeros_of({shape, type_of(x[0]).dtype})}, {0}};
      }
      dimensions.operand_batching_dims = dimensions.start_indices_batching_dims = {0};
      wider.insert(wider.begin(), 1);
      dimensions.start_index_map = axes_from_one(sizes.size());
    } else {
      dimensions.start_index_map = counted_axes(static_cast<int>(sizes.size()));
    }
    const Array source = operand ? move_axis(x[0], at[0], 0) : x[0];
    const Array rows = rows_of(start, at.subspan(1), size);
    return {{gather(source, rows, dimensions, wider, OutOfBounds::clip, rule_site())}, {0}};
  }

  kernel::Scalar at(kernel::Reader& x, const kernel::Index& i) const {
    kernel::Index index = clamped(x, 1, x.operand(0).shape, x.result(0).shape);
    for (std::size_t k = 0; k < i.size(); ++k) index[k] += i[k];
    return x.read(0, index);
  }

  void reference(ConstTensors in, Tensors out) const {
    const Shape &operand = in[0].type.shape, &box = out[0].type.shape;
    for_each_in_box(
        clamped(in.subspan(1), operand, box),
        operand,
        box,
        [&](std::int64_t at, std::int64_t flat) { copy_element(out[0], flat, in[0], at); });
  }
};

struct DynamicUpdateSlice {
  static constexpr auto name = "dynamic_update_slice";
  Update update = Update::set;

  Types types(TypeList in) const {
    check_box(name, in[0], in.subspan(2), {in[1].shape.begin(), in[1].shape.size()});
    check_same_dtype(name, in[0], in[1]);
    const DType dtype = in[0].dtype;
    if (update == Update::add ? dtype == bool_ || is_half(dtype) : update != Update::set) {
      fail("dtype",
           Site(),
           "dynamic_update_slice: " +
               std::string(EnumWords<Update>::words[static_cast<std::size_t>(update)]) +
               " does not combine " + to_string(dtype),
           {"operand " + to_string(in[0])},
           "convert to a wider dtype with astype");
    }
    return {in[0]};
  }

  Array updated(const Array& into, const Array& box, Arrays start) const {
    return dynamic_update_slice(update, into, box, start, rule_site());
  }

  ArrayList jvp(Arrays x, Arrays, Arrays dx) const {
    if (!defined(dx[0]) && !defined(dx[1])) return {Array()};
    return {updated(or_zeros(dx[0], type_of(x[0])), or_zeros(dx[1], type_of(x[1])), x.subspan(2))};
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0])) return;
    ArrayList start;
    for (std::size_t k = 2; k < x.size(); ++k) start.push_back(x.value(k));
    const Type& box = x.type(1);
    if (x.linear(1) && out.needed(1)) {
      const std::vector<std::int64_t> sizes(box.shape.begin(), box.shape.end());
      out.add(1, dynamic_slice(ct[0], start, sizes, rule_site()));
    }
    if (!x.linear(0) || !out.needed(0)) return;
    out.add(0, update == Update::add ? ct[0] : updated(ct[0], zeros_of(box), start));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const Arrays start = x.subspan(2);
    const Array into = batch_first(x[0], at[0], size), box = batch_first(x[1], at[1], size);
    if (!any_batched(at.subspan(2))) return {{updated(into, box, with_zero(start, 0))}, {0}};
    if (size == 0) return {{into}, {0}};
    const std::vector<int> axes = axes_from_one(start.size());
    ScatterDimensions dimensions{axes, {}, {0}, {0}, axes, 1};
    const Array rows = rows_of(start, at.subspan(2), size);
    return {{scatter(
                update, into, rows, box, dimensions, OutOfBounds::clip, {true, true}, rule_site())},
            {0}};
  }

  InPlaces in_place() const { return {{0, 0}}; }
  void body(kernel::Nest& nest) const {
    const Shape operand = nest.operand(0).shape, box = nest.operand(1).shape;
    nest.phase(box, [this, &nest, operand, box](const kernel::Index& i) {
      kernel::Index index = clamped(nest, 2, operand, box);
      for (std::size_t k = 0; k < i.size(); ++k) index[k] += i[k];
      const kernel::Scalar value = nest.read(1, i);
      if (update == Update::set)
        nest.write(0, index, value);
      else
        nest.update(0, index, kernel::Combiner::add, value, kernel::Promise::unique);
    });
  }

  void reference(ConstTensors in, Tensors out) const {
    const Shape &operand = in[0].type.shape, &box = in[1].type.shape;
    if (element_count(operand)) std::memcpy(out[0].data, in[0].data, bytes_of(in[0].type));
    for_each_in_box(clamped(in.subspan(2), operand, box),
                    operand,
                    box,
                    [&](std::int64_t at, std::int64_t flat) {
                      if (update == Update::set) return copy_element(out[0], at, in[1], flat);
                      by_dtype(in[0].type.dtype, [&](auto tag) {
                        using T = typename decltype(tag)::type;
                        increase(out[0].as<T>()[at], in[1].as<T>()[flat]);
                      });
                    });
  }

  template <class T> static void increase(T& to, const T& value) {
    if constexpr (host_complex<T>)
      to = {to.real + value.real, to.imag + value.imag};
    else if constexpr (std::is_floating_point_v<T>)
      to += value;
    else if constexpr (host_integer<T>)
      to = narrow<T>(widen(to).bits + widen(value).bits);
    else
      throw InternalError("dynamic_update_slice: 16-bit floats are not added in place");
  }
};

constexpr const Rules* rules[] = {rules_of<DynamicSlice>(), rules_of<DynamicUpdateSlice>()};

ArrayList with_starts(std::initializer_list<Array> first, Arrays start) {
  ArrayList operands = first;
  operands.insert(operands.end(), start.begin(), start.end());
  return operands;
}

}  // namespace

std::span<const Rules* const> dynamic_slice_rules() { return rules; }

Array dynamic_slice(const Array& x,
                    Arrays start,
                    const std::vector<std::int64_t>& sizes,
                    const Site& site) {
  return emit(DynamicSlice{sizes}, with_starts({x}, start), site);
}

Array dynamic_update_slice(
    Update update, const Array& x, const Array& box, Arrays start, const Site& site) {
  return emit(DynamicUpdateSlice{update}, with_starts({x, box}, start), site);
}

}  // namespace fluxion::ops
