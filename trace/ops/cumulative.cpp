// Running combinations along an axis, and the first-order linear recurrence that their derivatives
// are.
#include "trace/ops/cumulative.hpp"

#include "trace/ops/axes.hpp"
#include "trace/ops/reduction.hpp"

namespace fluxion::ops {
std::span<const Rules* const> cumulative_rules();

namespace {

void check_axis(std::string_view operation, int axis, const Type& type) {
  check_axes(operation, "axis", {axis}, rank_of(type));
}

/// The array one step later along the axis (reverse: earlier), with `first` where nothing was.
Array shifted_by_one(const Array& x, int axis, bool reverse, double first) {
  std::vector<Padding> padding(type_of(x).shape.size());
  Padding& along = padding[static_cast<std::size_t>(axis)];
  along = reverse ? Padding{-1, 1, 0} : Padding{1, -1, 0};
  return pad(x, literal(first, type_of(x).dtype), padding, rule_site());
}

/// Runs `step(index, carry)` along the axis for every line; it gives the next carry, which is
/// written as the result.
template <class Step>
void along_lines(kernel::Nest& nest, int axis, bool reverse, kernel::Scalar initial, Step step) {
  const Shape& shape = nest.result(0).shape;
  const std::int64_t n = size_at(shape, axis);
  const Shape lines = with_axis(without_axis(shape, axis), axis, 1);
  nest.phase(lines, [&nest, axis, reverse, n, initial, step](const kernel::Index& line) {
    nest.builder().serial(
        {n}, {initial}, [&](const kernel::Index& j, std::vector<kernel::Scalar> carry) {
          kernel::Index index = line;
          index[static_cast<std::size_t>(axis)] = reverse ? j[0] * -1 + (n - 1) : j[0];
          const kernel::Scalar next = step(index, carry[0]);
          nest.write(0, index, next);
          return std::vector<kernel::Scalar>{next};
        });
  });
}

/// visit(flat number) along every line of an axis, line after line; begin() before each.
template <class Begin, class Visit>
void for_each_line(const Shape& shape, int axis, bool reverse, Begin&& begin, Visit&& visit) {
  const std::int64_t n = size_at(shape, axis);
  const std::int64_t stride = strides_of(shape)[static_cast<std::size_t>(axis)];
  const Shape lines = with_axis(without_axis(shape, axis), axis, n ? 1 : 0);
  const std::vector<std::int64_t> strides = strides_of(shape);
  for_each_index(lines, [&](const auto& index, std::int64_t) {
    std::int64_t first = 0;
    for (std::size_t k = 0; k < index.size(); ++k) first += index[k] * strides[k];
    begin();
    for (std::int64_t j = 0; j < n; ++j) visit(first + (reverse ? n - 1 - j : j) * stride);
  });
}

struct Cumulative {
  static constexpr auto name = "cumulative";
  Reduction op = Reduction::sum;
  int axis = 0;
  bool reverse = false;

  Types types(TypeList in) const {
    check_operand_count(name, in, 1);
    check_axis(name, axis, in[0]);
    if (op > Reduction::min) throw InternalError("cumulative: sum, prod, max and min only");
    check_accepted(name, in[0], accepted(op));
    if (op != Reduction::sum) check_real(name, in[0]);  // sums are taken part by part
    return {in[0]};
  }

  // y[i] = f(y[i-1], x[i]), so dy[i] = f_1 dy[i-1] + f_2 dx[i].
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    if (!defined(dx[0])) return {Array()};
    if (op == Reduction::sum) return {cumulative(op, dx[0], axis, reverse, rule_site())};
    if (op == Reduction::prod) {
      const Array before = shifted_by_one(y[0], axis, reverse, 1);
      return {linear_recurrence(x[0], mul(before, dx[0]), axis, reverse, rule_site())};
    }
    // The larger has the derivative; each a half where they are equal.
    const Type& type = type_of(x[0]);
    const double least = op == Reduction::max ? -std::numeric_limits<double>::infinity()
                                              : std::numeric_limits<double>::infinity();
    const Array before = shifted_by_one(y[0], axis, reverse, least);
    const Direction beats = op == Reduction::max ? Direction::gt : Direction::lt;
    const Array old_wins = compare(beats, before, x[0], rule_site());
    const Array tie = compare(Direction::eq, before, x[0], rule_site());
    const Array not_tie = select(old_wins, ones_of(type), zeros_of(type), rule_site());
    Array kept = select(tie, filled(0.5, type), not_tie, rule_site());
    const Array taken = sub(ones_of(type), kept);
    return {linear_recurrence(kept, mul(taken, dx[0]), axis, reverse, rule_site())};
  }

  void transpose(Arrays ct, const Operands&, Accumulators& out) const {
    if (op != Reduction::sum) throw InternalError("cumulative: only sums are linear");
    if (out.needed(0)) out.add(0, cumulative(op, ct[0], axis, !reverse, rule_site()));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t) const {
    const int moved = axis + (axis >= at[0]);
    return {{cumulative(op, x[0], moved, reverse, rule_site())}, {at[0]}};
  }

  void body(kernel::Nest& nest) const {
    const DType given = nest.operand(0).dtype;
    const DType dtype = given == complex64 ? float32 : given == complex128 ? float64 : given;
    const DType wide = is_half(dtype) ? float32 : dtype;
    kernel::Builder& b = nest.builder();
    // -0, so that sums of -0 are -0.
    const kernel::Scalar initial = op == Reduction::sum && is_floating(dtype)
                                       ? b.constant(dtype, -0.0)
                                       : narrowed(neutral(b, op, wide), dtype);
    along_lines(nest, axis, reverse, initial, [this, &nest, dtype](const auto& index, auto carry) {
      const kernel::Scalar a = widened(carry), x = widened(nest.read(0, index));
      return narrowed(combined(a, x), dtype);
    });
  }
  kernel::Scalar combined(kernel::Scalar a, kernel::Scalar x) const {
    const bool boolean = x.type() == bool_;
    switch (op) {
      case Reduction::sum:
        return a + x;
      case Reduction::prod:
        return a * x;
      case Reduction::max:
        return boolean ? a | x : max(a, x);
      default:
        return boolean ? a & x : min(a, x);
    }
  }

  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (host_complex<T>) {
        const T* x = in[0].as<T>();
        T *y = out[0].as<T>(), last{};
        for_each_line(
            in[0].type.shape,
            axis,
            reverse,
            [&] { last = T{}; },
            [&](std::int64_t at) {
              last = {last.real + x[at].real, last.imag + x[at].imag};
              y[at] = last;
            });
      } else {
        using Accumulator =
            std::conditional_t<host_float<T>,
                               FloatAccumulator<std::conditional_t<host_float<T>, T, float>>,
                               IntegerAccumulator<T>>;
        std::optional<Accumulator> running;
        const T* x = in[0].as<T>();
        T* y = out[0].as<T>();
        for_each_line(
            in[0].type.shape,
            axis,
            reverse,
            [&] { running.emplace(op, true); },
            [&](std::int64_t at) {
              running->take(x[at]);
              y[at] = running->result();
            });
      }
    });
  }
};

struct LinearRecurrence {
  static constexpr auto name = "linear_recurrence";
  int axis = 0;
  bool reverse = false;

  Types types(TypeList in) const {
    check_operand_count(name, in, 2);
    check_alike(name, in);
    check_axis(name, axis, in[0]);
    check_accepted(name, in[0], floats);
    return {in[0]};
  }

  Array along(const Array& factor, const Array& term, bool backwards) const {
    return linear_recurrence(factor, term, axis, backwards, rule_site());
  }

  // dh[i] = a[i] dh[i-1] + (da[i] h[i-1] + db[i])
  ArrayList jvp(Arrays x, Arrays y, Arrays dx) const {
    Array term = dx[1];
    if (defined(dx[0])) term = sum_of(mul(dx[0], shifted_by_one(y[0], axis, reverse, 0)), term);
    return {defined(term) ? along(x[0], term, reverse) : Array()};
  }

  // Linear in the term: its cotangent runs back, c[i] = ct[i] + a[i+1] c[i+1].
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const {
    if (x.linear(0)) throw InternalError("linear_recurrence is not linear in its factors");
    if (out.needed(1))
      out.add(1, along(shifted_by_one(x.value(0), axis, !reverse, 0), ct[0], !reverse));
  }

  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    const Array factor = batch_first(x[0], at[0], size), term = batch_first(x[1], at[1], size);
    return {{linear_recurrence(factor, term, axis + 1, reverse, rule_site())}, {0}};
  }

  void body(kernel::Nest& nest) const {
    const DType dtype = nest.operand(0).dtype;
    const kernel::Scalar zero = nest.builder().constant(dtype, 0);
    along_lines(nest, axis, reverse, zero, [&nest, dtype](const auto& index, auto carry) {
      const kernel::Scalar a = widened(nest.read(0, index)), b = widened(nest.read(1, index));
      return narrowed(a * widened(carry) + b, dtype);
    });
  }

  void reference(ConstTensors in, Tensors out) const {
    by_dtype(in[0].type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (host_float<T>) {
        const T *a = in[0].as<T>(), *b = in[1].as<T>();
        T* h = out[0].as<T>();
        T last{};
        for_each_line(
            in[0].type.shape,
            axis,
            reverse,
            [&] { last = T{}; },
            [&](std::int64_t at) {
              last = from_double<T>(to_double(a[at]) * to_double(last) + to_double(b[at]));
              h[at] = last;
            });
      }
    });
  }
};

constexpr const Rules* rules[] = {rules_of<Cumulative>(), rules_of<LinearRecurrence>()};

}  // namespace

std::span<const Rules* const> cumulative_rules() { return rules; }

Array cumulative(Reduction op, const Array& x, int axis, bool reverse, const Site& site) {
  return emit(Cumulative{op, axis, reverse}, {x}, site);
}

Array linear_recurrence(
    const Array& factor, const Array& term, int axis, bool reverse, const Site& site) {
  return emit(LinearRecurrence{axis, reverse}, {factor, term}, site);
}

}  // namespace fluxion::ops
