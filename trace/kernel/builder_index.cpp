// Indices: sums that stay affine through linearising and delinearising, the ranges of integer
// values.
#include "trace/error.hpp"
#include "trace/kernel/builder_state.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace fluxion::kernel {

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
using Wide = __int128;

/// [low, high] if it is within `natural`; a value that may wrap can be anything of its type.
Range wrapped(Wide low, Wide high, Range natural) {
  if (low < natural.low || high > natural.high) return natural;
  return {static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)};
}

Range product(Range x, Range y, Range natural) {
  Wide corners[] = {
      Wide(x.low) * y.low, Wide(x.low) * y.high, Wide(x.high) * y.low, Wide(x.high) * y.high};
  auto [low, high] = std::minmax_element(std::begin(corners), std::end(corners));
  return wrapped(*low, *high, natural);
}

std::int64_t signed_value(DType type, std::uint64_t bits) {
  return static_cast<std::int64_t>(convert_bits(type, int64, bits));
}

}  // namespace

Range Range::all() { return {least, greatest}; }
bool Range::known() const { return low != least || high != greatest; }

Range range_of(DType type) {
  switch (type) {
    case int8:
      return {-128, 127};
    case int16:
      return {-32768, 32767};
    case int32:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case uint8:
      return {0, 255};
    case uint16:
      return {0, 65535};
    case uint32:
      return {0, std::numeric_limits<std::uint32_t>::max()};
    case bool_:
      return {0, 1};
    default:
      return Range::all();
  }
}

Range Builder::State::range_of_instruction(const Instruction& i) const {
  Range natural = range_of(i.type);
  if (!is_integer(i.type)) return natural;
  auto of = [&](Id id) { return known[static_cast<std::size_t>(id)].range; };
  // Numbers above int64's greatest have no place in a Range.
  auto usable = [&](Id id) { return at(id).type != uint64 || of(id).known(); };
  switch (i.verb) {
    case Verb::constant: {
      std::int64_t value = signed_value(i.type, i.bits);
      if (i.type == uint64 && static_cast<std::int64_t>(i.bits) < 0) return natural;
      return {value, value};
    }
    case Verb::loop_index:
      return {0, kernel.variables[i.bits].extent - 1};
    case Verb::select: {
      Range x = of(i.b), y = of(i.c);
      return {std::min(x.low, y.low), std::max(x.high, y.high)};
    }
    default:
      break;
  }
  if (i.verb == Verb::convert) {
    if (!is_integer(at(i.a).type) && at(i.a).type != bool_) return natural;
    Range x = of(i.a);
    return usable(i.a) && x.within(natural.low, natural.high) ? x : natural;
  }
  int operands = operand_count(i.verb);
  if (operands != 2 || i.type == uint64 || !is_integer(at(i.a).type)) return natural;
  Range x = of(i.a), y = of(i.b);
  switch (i.verb) {
    case Verb::add:
      return wrapped(Wide(x.low) + y.low, Wide(x.high) + y.high, natural);
    case Verb::sub:
      return wrapped(Wide(x.low) - y.high, Wide(x.high) - y.low, natural);
    case Verb::mul:
      return product(x, y, natural);
    case Verb::min:
      return {std::min(x.low, y.low), std::min(x.high, y.high)};
    case Verb::max:
      return {std::max(x.low, y.low), std::max(x.high, y.high)};
    case Verb::div:
      if (x.low >= 0 && y.low > 0) return {x.low / y.high, x.high / y.low};
      return natural;
    case Verb::rem:
      if (x.low >= 0 && y.low > 0) return {0, std::min(x.high, y.high - 1)};
      return natural;
    case Verb::bit_and:
      if (x.low >= 0 && y.low >= 0) return {0, std::min(x.high, y.high)};
      return natural;
    case Verb::shift_right_logical:
    case Verb::shift_right_arithmetic:
      if (x.low >= 0 && y.low == y.high && y.low >= 0 && y.low < 63) {
        return {x.low >> y.low, x.high >> y.low};
      }
      return natural;
    default:
      return natural;
  }
}

Range Builder::State::range(const Affine& affine) const {
  Wide low = affine.constant, high = affine.constant;
  auto add = [&](Range x, std::int64_t scale) {
    Wide a = Wide(x.low) * scale, b = Wide(x.high) * scale;
    low += std::min(a, b);
    high += std::max(a, b);
  };
  for (const Affine::Term& term : affine.variables) {
    add({0, kernel.variables[static_cast<std::size_t>(term.of)].extent - 1}, term.scale);
  }
  for (const Affine::Term& term : affine.opaque) {
    add(known[static_cast<std::size_t>(term.of)].range, term.scale);
  }
  return wrapped(low, high, Range::all());
}

void Builder::State::remember_sum(Id id) {
  const Instruction i = at(id);
  Affine sum;
  switch (i.verb) {
    case Verb::add:
      sum = affine(i.a) + affine(i.b);
      break;
    case Verb::sub:
      sum = affine(i.a) - affine(i.b);
      break;
    case Verb::neg:
      sum = affine(i.a) * -1;
      break;
    case Verb::mul: {
      auto factor = constant_bits(i.b);
      if (!factor) return;
      sum = affine(i.a) * static_cast<std::int64_t>(*factor);
      break;
    }
    case Verb::shift_left: {
      auto amount = constant_bits(i.b);
      if (!amount || *amount > 62) return;
      sum = affine(i.a) * (std::int64_t{1} << *amount);
      break;
    }
    default:
      return;
  }
  affine_of.emplace(id, std::move(sum));
}

Affine Builder::State::affine(Id id) const {
  const Instruction& i = at(id);
  if (i.verb == Verb::constant) return {static_cast<std::int64_t>(i.bits), {}, {}};
  if (i.verb == Verb::loop_index) return {0, {{static_cast<std::int32_t>(i.bits), 1}}, {}};
  auto found = affine_of.find(id);
  if (found != affine_of.end()) return found->second;
  return {0, {}, {{id, 1}}};
}

Id Builder::State::value(const Affine& affine) {
  struct Part {
    std::int32_t depth;
    Id id;
    std::int64_t scale;
  };
  depth_of(affine);
  std::vector<Part> parts;
  for (const Affine::Term& term : affine.variables) {
    std::int32_t depth = variable_known[static_cast<std::size_t>(term.of)].depth;
    Id index = make(
        {Verb::loop_index, int64, -1, -1, -1, static_cast<std::uint64_t>(term.of)}, depth, true);
    parts.push_back({depth, index, term.scale});
  }
  for (const Affine::Term& term : affine.opaque) {
    parts.push_back({depth_of(term.of), term.of, term.scale});
  }
  // What the outer loops know is summed first, so that it is computed there.
  std::stable_sort(
      parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.depth < b.depth; });
  Id sum = constant(int64, static_cast<std::uint64_t>(affine.constant));
  for (const Part& part : parts) {
    Id scale = constant(int64, static_cast<std::uint64_t>(part.scale));
    Id term = emit({Verb::mul, int64, part.id, scale, -1, 0});
    sum = emit({Verb::add, int64, sum, term, -1, 0});
  }
  return sum;
}

Id Builder::State::value32(const Affine& affine, DType type) {
  Id sum = constant(type, static_cast<std::uint32_t>(affine.constant));
  auto add = [&](const Affine& term, std::int64_t scale) {
    Id narrow = emit({Verb::convert, type, value(term), -1, -1, 0});
    Id factor = constant(type, static_cast<std::uint32_t>(scale));
    sum = emit({Verb::add, type, sum, emit({Verb::mul, type, narrow, factor, -1, 0}), -1, 0});
  };
  for (const Affine::Term& term : affine.variables) add({0, {{term.of, 1}}, {}}, term.scale);
  for (const Affine::Term& term : affine.opaque) add({0, {}, {{term.of, 1}}}, term.scale);
  return sum;
}

Scalar Builder::value(const Affine& affine) { return {this, state_->value(affine)}; }

Affine Builder::affine(Scalar value) {
  state_->must(value.type() == int64, "an index that is no int64");
  state_->depth_of(value.id());
  return state_->affine(value.id());
}

std::pair<std::int64_t, std::int64_t> Builder::range(const Affine& affine) const {
  Range range = state_->range(affine);
  return {range.low, range.high};
}

namespace {

/// Splits a value into quotient * by + rest, term by term; scales of the rest are smaller than
/// `by`.
std::pair<Affine, Affine> split(const Affine& value, std::int64_t by) {
  Affine quotient, rest;
  std::int64_t modulo = value.constant % by;
  if (modulo < 0) modulo += by;
  rest.constant = modulo;
  quotient.constant = (value.constant - modulo) / by;
  for (const auto terms : {&Affine::variables, &Affine::opaque}) {
    for (const Affine::Term& term : value.*terms) {
      if (term.scale / by != 0) (quotient.*terms).push_back({term.of, term.scale / by});
      if (term.scale % by != 0) (rest.*terms).push_back({term.of, term.scale % by});
    }
  }
  return {quotient, rest};
}

}  // namespace

bool Builder::State::fits_32_bits(const Affine& affine) const {
  constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
  if (!range(affine).within(-limit, limit)) return false;
  // Every partial sum as well: the terms are added one after the other.
  Wide reach = affine.constant < 0 ? -Wide(affine.constant) : Wide(affine.constant);
  auto add = [&](Range x, std::int64_t scale) {
    Wide a = Wide(x.low) * scale, b = Wide(x.high) * scale;
    reach += std::max(a < 0 ? -a : a, b < 0 ? -b : b);
  };
  for (const Affine::Term& term : affine.variables) {
    add({0, kernel.variables[static_cast<std::size_t>(term.of)].extent - 1}, term.scale);
  }
  for (const Affine::Term& term : affine.opaque) {
    Range of = known[static_cast<std::size_t>(term.of)].range;
    if (!of.within(-limit, limit)) return false;
    add(of, term.scale);
  }
  return reach <= limit;
}

std::pair<Affine, Affine> Builder::State::divide_rest(Affine rest, std::int64_t by) {
  Range range = this->range(rest);
  if (range.low / by == range.high / by) {
    return {Affine{range.low / by, {}, {}}, rest + -(range.low / by * by)};
  }
  // A common divisor g of all scales and of `by` divides all but the constant: (g x + c) / (g b) =
  // x / b for c < g.
  std::int64_t common = by;
  for (const auto terms : {&Affine::variables, &Affine::opaque}) {
    for (const Affine::Term& term : rest.*terms) common = std::gcd(common, term.scale);
  }
  std::int64_t low_part = rest.constant % common;
  Affine reduced = rest + -low_part;
  reduced.constant /= common;
  for (const auto terms : {&Affine::variables, &Affine::opaque}) {
    for (Affine::Term& term : reduced.*terms) term.scale /= common;
  }
  by /= common;
  bool narrow = fits_32_bits(reduced) && this->range(reduced).low >= 0;
  DType type = narrow ? uint32 : int64;
  Id value = narrow ? value32(reduced, uint32) : this->value(reduced);
  Id divisor = constant(type, static_cast<std::uint64_t>(by));
  auto part = [&](Verb verb) {
    Id result = emit({verb, type, value, divisor, -1, 0});
    return affine(narrow ? emit({Verb::convert, int64, result, -1, -1, 0}) : result);
  };
  return {part(Verb::div), part(Verb::rem) * common + low_part};
}

std::pair<Affine, Affine> Builder::State::divide(const Affine& value, std::int64_t by) {
  must(by > 0, "an index is divided by a number that is not positive");
  auto [quotient, rest] = split(value, by);
  // The value is not negative, but what remains of it may be: a multiple of `by` moves over.
  std::int64_t low = range(rest).low;
  if (low < 0) {
    if (range(rest).known() && low > least / 2) {
      std::int64_t multiples = (-low + by - 1) / by;
      rest.constant += multiples * by;
      quotient.constant -= multiples;
    } else {
      rest = value;
      quotient = {};
    }
  }
  auto [more, remainder] = divide_rest(std::move(rest), by);
  return {quotient + more, remainder};
}

Affine Builder::divide(const Affine& value, std::int64_t by) {
  return state_->divide(value, by).first;
}
Affine Builder::modulo(const Affine& value, std::int64_t by) {
  return state_->divide(value, by).second;
}

Scalar Builder::in_range(const Affine& x, std::int64_t low, std::int64_t high) {
  State& s = *state_;
  Range range = s.range(x);
  bool above = range.low >= low, below = range.high < high;
  if (above && below) return constant(bool_, 1);
  if (range.high < low || range.low >= high || low >= high) return constant(bool_, 0);
  constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
  bool narrow =
      s.fits_32_bits(x) && -limit <= low && low <= limit && -limit <= high && high <= limit;
  DType type = narrow ? int32 : int64;
  Scalar value{this, narrow ? s.value32(x, int32) : s.value(x)};
  auto exact = [&](std::int64_t b) {
    return constant_bits(type,
                         narrow ? static_cast<std::uint32_t>(b) : static_cast<std::uint64_t>(b));
  };
  if (above) return value < exact(high);
  if (below) return value >= exact(low);
  return (value >= exact(low)) & (value < exact(high));
}

}  // namespace fluxion::kernel
