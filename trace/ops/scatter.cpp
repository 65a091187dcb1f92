// Updates of an array at computed positions: StableHLO's scatter with batching dimensions.
#include "trace/ops/scatter.hpp"

#include "trace/ops/elementwise.hpp"
#include "trace/ops/positions.hpp"
#include "trace/ops/sort.hpp"

#include <algorithm>

namespace fluxion::ops {
std::span<const Rules* const> scatter_rules();

namespace {

// A window that does not fit is dropped as a whole (or, with clip, moved inside). Of several
// updates of one element `set` keeps the last in row-major order of the updates; the others combine
// all.
struct Scatter {
  static constexpr auto name = "scatter";
  Update update = Update::set;
  std::vector<int> update_window_dims, inserted_window_dims, operand_batching_dims;
  std::vector<int> scatter_indices_batching_dims, scatter_dims_to_operand_dims;
  int index_vector_dim = 0;
  OutOfBounds mode = OutOfBounds::fill;
  bool unique = false, sorted = false;  // promises about the positions

  Positions positions() const {
    return {operand_batching_dims,
            scatter_indices_batching_dims,
            scatter_dims_to_operand_dims,
            index_vector_dim};
  }
  /// The operand's axes that a window has, in order.
  std::vector<int> window_axes(int rank) const {
    return other_axes(rank, inserted_window_dims, operand_batching_dims);
  }
  /// The size of a window along every axis of the operand.
  std::vector<std::int64_t> window(int rank, const Shape& updates) const {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(rank), 1);
    const std::vector<int> axes = window_axes(rank);
    for (std::size_t k = 0; k < axes.size(); ++k) {
      sizes[static_cast<std::size_t>(axes[k])] = size_at(updates, update_window_dims[k]);
    }
    return sizes;
  }
  /// No element is updated twice.
  bool single_writer(const Shape& indices) const {
    return unique || element_count(positions().shape(indices)) <= 1;
  }

  [[noreturn]] static void refuse(const std::string& sentence, TypeList in) {
    fail("scatter",
         Site(),
         "scatter: " + sentence,
         {"operand " + to_string(in[0]),
          "indices " + to_string(in[1]),
          "updates " + to_string(in[2])});
  }

  void check_dtypes(TypeList in) const {
    check_same_dtype("scatter", in[0], in[2]);
    if (update == Update::set) return;
    const DType dtype = in[0].dtype;
    const bool counts = update == Update::add || update == Update::mul;
    if (!counts) check_real("scatter", in[0]);
    if ((dtype == bool_ && counts) || dtype == float16 || dtype == bfloat16) {
      fail("dtype",
           Site(),
           "scatter: " + std::string(EnumWords<Update>::words[static_cast<std::size_t>(update)]) +
               " does not combine " + to_string(dtype),
           {"operand " + to_string(in[0])},
           "convert to a wider dtype with astype");
    }
  }

  Types types(TypeList in) const {
    check_positions("scatter", positions(), in[0], in[1]);
    const int rank = rank_of(in[0]);
    check_axes("scatter", "inserted_window_dims", inserted_window_dims, rank);
    check_axes("scatter", "update_window_dims", update_window_dims, rank_of(in[2]));
    const std::vector<int> axes = window_axes(rank);
    if (axes.size() != update_window_dims.size()) {
      refuse(std::to_string(update_window_dims.size()) + " update_window_dims for windows with " +
                 std::to_string(axes.size()) + " axes",
             in);
    }
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const std::int64_t size = size_at(in[2].shape, update_window_dims[k]);
      if (size > size_at(in[0].shape, axes[k])) {
        refuse("a window of size " + std::to_string(size) + " along axis " +
                   std::to_string(axes[k]) + " of size " +
                   std::to_string(size_at(in[0].shape, axes[k])),
               in);
      }
    }
    Shape outer;
    for (int axis : other_axes(rank_of(in[2]), update_window_dims)) {
      outer.push_back(size_at(in[2].shape, axis));
    }
    if (!(outer == positions().shape(in[1].shape))) {
      refuse("updates at " + to_string(outer) + " positions, indices of " +
                 to_string(positions().shape(in[1].shape)),
             in);
    }
    check_dtypes(in);
    return {in[0]};
  }

  Array scattered(Update how, const Array& into, const Array& indices, const Array& updates) const {
    Scatter op = *this;
    op.update = how;
    return emit(op, {into, indices, updates}, rule_site());
  }

  /// What the operand-shaped array has where each update goes; zero where the update is dropped.
  Array gathered(const Array& from, const Array& indices, const Shape& updates) const {
    const GatherDimensions dimensions{update_window_dims,
                                      inserted_window_dims,
                                      operand_batching_dims,
                                      scatter_indices_batching_dims,
                                      scatter_dims_to_operand_dims,
                                      index_vector_dim};
    return gather_or_zero(
        from, indices, dimensions, window(rank_of(from), updates), mode, rule_site());
  }

  struct Survivors {
    Array operand, updates;  // bool: what of each is seen in the result
  };
  /// Every position writes its number (from 1); what reads back its own number was written last.
  Survivors survivors(const Type& operand, const Array& indices, const Type& updates) const {
    const Shape outer = positions().shape(type_of(indices).shape);
    const std::int64_t count = element_count(outer);
    const DType number = count < 0x7fffffff ? int32 : int64;
    const Array zero_based = iota({{count}, number}, 0, rule_site());
    const Array from_one = binary("add", zero_based, filled(1, type_of(zero_based)), rule_site());
    const std::vector<int> outer_axes = other_axes(rank_of(updates), update_window_dims);
    const Array numbers = broadcast_in_dim(
        reshape(from_one, outer, rule_site()), updates.shape, outer_axes, rule_site());
    const Array untouched = filled(0, {operand.shape, number});
    const Array written = scattered(Update::set, untouched, indices, numbers);
    const Array seen = gathered(written, indices, updates.shape);
    return {compare(Direction::eq, written, untouched, rule_site()),
            compare(Direction::eq, seen, numbers, rule_site())};
  }

  static Array where(const Array& condition, const Array& x) {
    return select(condition, x, zeros_of(type_of(x)), rule_site());
  }
  static Array product(const Array& a, const Array& b) { return binary("mul", a, b, rule_site()); }
  static Array quotient(const Array& a, const Array& b) { return binary("div", a, b, rule_site()); }

  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0]) && !defined(dx[2])) return {Array()};
    const Array &indices = x[1], &updates = x[2];
    const Array operand_tangent = or_zeros(dx[0], type_of(x[0]));
    const Array update_tangent = or_zeros(dx[2], type_of(updates));
    if (update == Update::mul) return {product_tangent(x, dx)};
    if (update == Update::min || update == Update::max) {
      return {extremum_tangent(x, y[0], operand_tangent, update_tangent)};
    }
    if (update == Update::add || single_writer(type_of(indices).shape)) {
      return {scattered(update, operand_tangent, indices, update_tangent)};
    }
    const Survivors seen = survivors(type_of(x[0]), indices, type_of(updates));
    return {scattered(Update::add,
                      where(seen.operand, operand_tangent),
                      indices,
                      where(seen.updates, update_tangent))};
  }

  /// Along the only axis, the first `count` elements are `first` and the rest move up.
  static Array moved_up(const Array& x, std::int64_t count, const Array& first) {
    const Shape& shape = type_of(x).shape;
    const Array start = broadcast_in_dim(first, {count}, {}, rule_site());
    const Array rest = slice(x, {0}, {size_at(shape, 0) - count}, {1}, rule_site());
    return concatenate(std::vector<Array>{start, rest}, 0, rule_site());
  }

  /// For every element of x the product of those before it in its run of equal numbers, in
  /// log2(length) steps (Hillis and Steele, "Data parallel algorithms", 1986).
  static Array products_before(const Array& x, const Array& numbers) {
    const std::int64_t length = size_at(type_of(x).shape, 0);
    const Array one = ones_of({{}, type_of(x).dtype});
    const Array nobody = filled(-1, {{}, type_of(numbers).dtype});
    const auto same_run = [&](std::int64_t distance) {
      return compare(Direction::eq, numbers, moved_up(numbers, distance, nobody), rule_site());
    };
    const Array ones = ones_of(type_of(x));
    Array out = select(same_run(1), moved_up(x, 1, one), ones, rule_site());
    for (std::int64_t distance = 1; distance < length; distance *= 2)
      out =
          product(out, select(same_run(distance), moved_up(out, distance, one), ones, rule_site()));
    return out;
  }

  /// For every update what else is multiplied into its element: the operand and the updates before
  /// and after it in the order of elements. Nothing is divided, so derivatives of every order are
  /// right where updates are zero. Costs two sorts and 2 log2(updates) passes over them.
  Array other_factors(const Array& operand, const Array& indices, const Array& updates) const {
    const Type& type = type_of(updates);
    const Array from_operand = gathered(operand, indices, type.shape);
    const std::int64_t count = element_count(type.shape),
                       places = element_count(type_of(operand).shape);
    if (single_writer(type_of(indices).shape) || count < 2) return from_operand;
    const DType number = std::max(count, places) < 0x7fffffff ? int32 : int64;
    // The number of the element that each update goes to, from 1; updates that are dropped have 0.
    const Array zero_based = iota({{places}, number}, 0, rule_site());
    const Array from_one = binary("add", zero_based, ones_of(type_of(zero_based)), rule_site());
    const Array elements = reshape(
        gathered(reshape(from_one, type_of(operand).shape, rule_site()), indices, type.shape),
        {count},
        rule_site());
    const Array positions = iota({{count}, number}, 0, rule_site());
    const ArrayList ordered =
        sort(std::vector<Array>{elements, positions}, 0, 1, false, rule_site());
    const Array back = sort(std::vector<Array>{ordered[1], positions}, 0, 1, false, rule_site())[1];
    const Array x =
        gather_flat(reshape(updates, {count}, rule_site()), ordered[1], true, rule_site());
    const auto reversed = [](const Array& a) { return rev(a, {0}, rule_site()); };
    const Array before = products_before(x, ordered[0]);
    const Array after = reversed(products_before(reversed(x), reversed(ordered[0])));
    const Array others = gather_flat(product(before, after), back, true, rule_site());
    return product(from_operand, reshape(others, type.shape, rule_site()));
  }

  Array product_tangent(Arrays x, Arrays dx) const {
    Array tangent;
    if (defined(dx[0])) tangent = scattered(Update::mul, dx[0], x[1], x[2]);
    if (!defined(dx[2])) return tangent;
    const Array others = other_factors(x[0], x[1], x[2]);
    return sum_of(tangent,
                  scattered(Update::add, zeros_of(type_of(x[0])), x[1], product(others, dx[2])));
  }

  /// Everything that equals the result shares the derivative in equal parts (NaN counts as equal to
  /// NaN).
  Array extremum_tangent(Arrays x,
                         const Array& y,
                         const Array& operand_tangent,
                         const Array& update_tangent) const {
    const Array &indices = x[1], &updates = x[2];
    const Shape& shape = type_of(updates).shape;
    auto winners = [](const Array& value, const Array& best) {
      const Array same = compare(Direction::eq, value, best, rule_site());
      const Array nan = compare(Direction::ne, value, value, rule_site());
      return select(binary("or", same, nan, rule_site()),
                    ones_of(type_of(value)),
                    zeros_of(type_of(value)),
                    rule_site());
    };
    const Array operand_wins = winners(x[0], y);
    const Array update_wins = winners(updates, gathered(y, indices, shape));
    const Array count = binary("max",
                               scattered(Update::add, operand_wins, indices, update_wins),
                               ones_of(type_of(y)),
                               rule_site());
    const Array counts =
        binary("max", gathered(count, indices, shape), ones_of(type_of(updates)), rule_site());
    return scattered(Update::add,
                     product(operand_tangent, quotient(operand_wins, count)),
                     indices,
                     product(update_tangent, quotient(update_wins, counts)));
  }

  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (!defined(ct[0])) return;
    const bool operand = x.linear(0) && out.needed(0), updates = x.linear(2) && out.needed(2);
    const Array& indices = x.value(1);
    const Shape& shape = x.type(2).shape;
    if (update == Update::add) {
      if (operand) out.add(0, ct[0]);
      if (updates) out.add(2, gathered(ct[0], indices, shape));
    } else if (update == Update::set) {
      const bool single = single_writer(x.type(1).shape);
      const Survivors seen = single ? Survivors() : survivors(x.type(0), indices, x.type(2));
      if (operand) {
        out.add(0,
                single ? scattered(Update::set, ct[0], indices, zeros_of(x.type(2)))
                       : where(seen.operand, ct[0]));
      }
      if (updates) {
        const Array back = gathered(ct[0], indices, shape);
        out.add(2, single ? back : where(seen.updates, back));
      }
    } else if (update == Update::mul && !x.linear(2)) {
      if (operand) out.add(0, scattered(Update::mul, ct[0], indices, x.value(2)));
    } else {
      throw InternalError("scatter is not linear in these operands");
    }
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    Scatter wider = *this;
    const bool indices = at[1] != unbatched;
    wider.inserted_window_dims = shifted(inserted_window_dims);
    wider.operand_batching_dims = shifted(operand_batching_dims);
    wider.scatter_dims_to_operand_dims = shifted(scatter_dims_to_operand_dims);
    wider.update_window_dims = shifted(update_window_dims);
    const Array operand = batch_first(x[0], at[0], size), updates = batch_first(x[2], at[2], size);
    if (!indices) {
      wider.update_window_dims = prepended(0, wider.update_window_dims);
      return {{emit(wider, {operand, x[1], updates}, rule_site())}, {0}};
    }
    if (size == 0) return {{operand}, {0}};
    wider.operand_batching_dims = prepended(0, wider.operand_batching_dims);
    wider.scatter_indices_batching_dims = prepended(0, shifted(scatter_indices_batching_dims));
    wider.index_vector_dim = index_vector_dim + 1;
    const Array where = move_axis(x[1], at[1], 0);
    return {{emit(wider, {operand, where, updates}, rule_site())}, {0}};
  }

  kernel::Combiner combiner(DType dtype) const {
    using kernel::Combiner;
    switch (update) {
      case Update::set:
        return Combiner::set;
      case Update::add:
        return Combiner::add;
      case Update::mul:
        return Combiner::mul;
      case Update::min:
        return dtype == bool_ ? Combiner::bit_and : Combiner::min;
      case Update::max:
        return dtype == bool_ ? Combiner::bit_or : Combiner::max;
    }
    throw InternalError("an unknown update");
  }

  /// Writes the update with this index into result 0.
  void apply(kernel::Nest& nest, const kernel::Index& index) const {
    const Spec& operand = nest.operand(0);
    const Shape& updates = nest.operand(2).shape;
    const int rank = rank_of(operand);
    kernel::Index position, target;
    for (int axis : other_axes(static_cast<int>(updates.size()), update_window_dims)) {
      position.push_back(index[static_cast<std::size_t>(axis)]);
    }
    const kernel::Scalar inside =
        positions().place(nest, 1, position, operand.shape, window(rank, updates), mode, target);
    const std::vector<int> axes = window_axes(rank);
    for (std::size_t k = 0; k < axes.size(); ++k) {
      target[static_cast<std::size_t>(axes[k])] +=
          index[static_cast<std::size_t>(update_window_dims[k])];
    }
    if (multiplies_pairs(nest)) {
      if (nest.part() == 1) nest.multiply_complex(0, target, nest.read_complex(2, index), inside);
      return;
    }
    nest.update(
        0, target, combiner(operand.dtype), nest.read(2, index), kernel::Promise::unique, inside);
  }
  /// A product of complex numbers changes both parts at once, when both are there.
  bool multiplies_pairs(const kernel::Nest& nest) const {
    return update == Update::mul && is_complex(nest.operand(0).dtype);
  }

  /// The axes of the updates along which different indices never meet: window axes that the index
  /// vectors do not move, and batching axes.
  std::vector<int> separate_axes(int rank, int updates_rank) const {
    const std::vector<int> axes = window_axes(rank);
    const std::vector<int> outer = other_axes(updates_rank, update_window_dims);
    std::vector<int> separate;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (position_of(axes[k], scatter_dims_to_operand_dims) < 0)
        separate.push_back(update_window_dims[k]);
    }
    for (int axis : scatter_indices_batching_dims) {
      separate.push_back(outer[static_cast<std::size_t>(axis - (axis > index_vector_dim))]);
    }
    std::sort(separate.begin(), separate.end());
    return separate;
  }

  InPlaces in_place() const { return {{0, 0}}; }

  // Updates that may meet are made one after the other in their order, so that the result has the
  // same bits every time; what never meets is independent.
  void body(kernel::Nest& nest) const {
    const Shape operand = nest.operand(0).shape, updates = nest.operand(2).shape;
    if (single_writer(nest.operand(1).shape)) {
      nest.phase(updates, [this, &nest](const kernel::Index& i) { apply(nest, i); });
      return;
    }
    const int rank = static_cast<int>(updates.size());
    const std::vector<int> separate = separate_axes(static_cast<int>(operand.size()), rank);
    const std::vector<int> ordered = other_axes(rank, separate);
    Shape domain, extents;
    for (int axis : separate) domain.push_back(size_at(updates, axis));
    for (int axis : ordered) extents.push_back(size_at(updates, axis));
    nest.phase(domain, [this, &nest, separate, ordered, extents](const kernel::Index& i) {
      auto each = [&](const kernel::Index& j, std::vector<kernel::Scalar>) {
        kernel::Index index(i.size() + j.size());
        for (std::size_t k = 0; k < i.size(); ++k)
          index[static_cast<std::size_t>(separate[k])] = i[k];
        for (std::size_t k = 0; k < j.size(); ++k)
          index[static_cast<std::size_t>(ordered[k])] = j[k];
        apply(nest, index);
        return std::vector<kernel::Scalar>();
      };
      nest.builder().serial(extents, {}, each);
    });
  }

  void reference(ConstTensors in, Tensors out) const;
};

void Scatter::reference(ConstTensors in, Tensors out) const {
  const Shape& operand = in[0].type.shape;
  const Shape& updates = in[2].type.shape;
  const int rank = static_cast<int>(operand.size());
  const std::vector<std::int64_t> strides = strides_of(operand), sizes = window(rank, updates);
  const std::vector<int> axes = window_axes(rank);
  if (element_count(operand)) std::memcpy(out[0].data, in[0].data, bytes_of(in[0].type));
  for_each_index(updates, [&](const auto& index, std::int64_t flat) {
    std::vector<std::int64_t> position, start;
    for (int axis : other_axes(static_cast<int>(updates.size()), update_window_dims)) {
      position.push_back(index[static_cast<std::size_t>(axis)]);
    }
    if (!positions().start(in[1], position, operand, sizes, mode, start)) return;
    std::int64_t to = 0;
    for (std::size_t k = 0; k < start.size(); ++k) to += start[k] * strides[k];
    for (std::size_t k = 0; k < axes.size(); ++k) {
      to += index[static_cast<std::size_t>(update_window_dims[k])] *
            strides[static_cast<std::size_t>(axes[k])];
    }
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      combine(update, out[0].template as<T>()[to], in[2].template as<T>()[flat]);
    });
  });
}

constexpr const Rules* rules[] = {rules_of<Scatter>()};

}  // namespace

std::span<const Rules* const> scatter_rules() { return rules; }

std::optional<ScatterAttributes> scatter_attributes(const Op& op) {
  const auto* s = op.as<Scatter>();
  if (s == nullptr) return {};
  return ScatterAttributes{s->update,
                           {s->update_window_dims,
                            s->inserted_window_dims,
                            s->operand_batching_dims,
                            s->scatter_indices_batching_dims,
                            s->scatter_dims_to_operand_dims,
                            s->index_vector_dim},
                           s->mode,
                           {s->unique, s->sorted}};
}

Array scatter(Update update,
              const Array& x,
              const Array& indices,
              const Array& updates,
              const ScatterDimensions& d,
              OutOfBounds mode,
              ScatterPromise promise,
              const Site& site) {
  const Scatter op{update,
                   d.update_window_dims,
                   d.inserted_window_dims,
                   d.operand_batching_dims,
                   d.scatter_indices_batching_dims,
                   d.scatter_dims_to_operand_dims,
                   d.index_vector_dim,
                   mode,
                   promise.unique,
                   promise.sorted};
  const DType dtype = type_of(x).dtype;
  // 16-bit floats are combined in float32 and rounded once.
  if (update != Update::set && (dtype == float16 || dtype == bfloat16) &&
      type_of(updates).dtype == dtype) {
    const Array wide = convert(x, float32, site), more = convert(updates, float32, site);
    return convert(emit(op, {wide, indices, more}, site), dtype, site);
  }
  return emit(op, {x, indices, updates}, site);
}

}  // namespace fluxion::ops
