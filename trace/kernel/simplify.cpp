// Identities that hold bit for bit, applied while instructions are made.
#include "trace/kernel/builder_state.hpp"
#include "trace/kernel/fold.hpp"

#include <bit>
#include <utility>

namespace fluxion::kernel {

namespace {

bool commutes(Verb verb) {
  switch (verb) {
    case Verb::add:
    case Verb::mul:
    case Verb::mulhi:
    case Verb::min:
    case Verb::max:
    case Verb::bit_and:
    case Verb::bit_or:
    case Verb::bit_xor:
    case Verb::equal:
    case Verb::not_equal:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<Id> Builder::State::simplify(const Instruction& given) {
  Instruction i = given;
  if (commutes(i.verb)) {
    // Constants to the right; otherwise the older operand first, so that equal products meet.
    bool left = constant_bits(i.a).has_value(), right = constant_bits(i.b).has_value();
    if (left != right ? left : i.a > i.b) {
      std::swap(i.a, i.b);
      return emit(i);
    }
  }
  switch (i.verb) {
    case Verb::select:
      if (auto condition = constant_bits(i.a)) return *condition ? i.b : i.c;
      if (i.b == i.c) return i.b;
      if (at(i.a).verb == Verb::bit_not) {
        return emit({Verb::select, i.type, at(i.a).a, i.c, i.b, 0});
      }
      break;
    case Verb::convert:
      if (at(i.a).type == i.type) return i.a;
      break;
    case Verb::bitcast:
      if (at(i.a).type == i.type) return i.a;
      if (at(i.a).verb == Verb::bitcast) {
        return emit({Verb::bitcast, i.type, at(i.a).a, -1, -1, 0});
      }
      break;
    case Verb::neg:
    case Verb::bit_not:
      if (at(i.a).verb == i.verb) return at(i.a).a;
      break;
    case Verb::min:
    case Verb::max:
      if (i.a == i.b) return i.a;
      break;
    default:
      break;
  }
  DType operand = at(i.a).type;
  if (operand == bool_) return simplify_bool(i);
  if (is_integer(operand)) return simplify_integer(i);
  return simplify_float(i);
}

std::optional<Id> Builder::State::simplify_bool(const Instruction& i) {
  bool binary = operand_count(i.verb) == 2;
  const bool right = binary && constant_bits(i.b).has_value();
  const std::uint64_t value = right ? at(i.b).bits : 0;
  switch (i.verb) {
    case Verb::bit_and:
      if (i.a == i.b) return i.a;
      if (right) return value ? i.a : i.b;
      break;
    case Verb::bit_or:
      if (i.a == i.b) return i.a;
      if (right) return value ? i.b : i.a;
      break;
    case Verb::bit_xor:
    case Verb::not_equal:
      if (i.a == i.b) return constant(bool_, 0);
      if (right) return value ? emit({Verb::bit_not, bool_, i.a, -1, -1, 0}) : i.a;
      break;
    case Verb::equal:
      if (i.a == i.b) return constant(bool_, 1);
      if (right) return value ? i.a : emit({Verb::bit_not, bool_, i.a, -1, -1, 0});
      break;
    default:
      break;
  }
  return std::nullopt;
}

std::optional<Id> Builder::State::simplify_integer(const Instruction& i) {
  if (operand_count(i.verb) != 2) return std::nullopt;
  auto right = constant_bits(i.b);
  if (i.a == i.b) {
    switch (i.verb) {
      case Verb::sub:
      case Verb::bit_xor:
        return constant(i.type, 0);
      case Verb::bit_and:
      case Verb::bit_or:
        return i.a;
      case Verb::equal:
      case Verb::less_equal:
        return constant(bool_, 1);
      case Verb::not_equal:
      case Verb::less:
        return constant(bool_, 0);
      default:
        break;
    }
  }
  Range x = known[static_cast<std::size_t>(i.a)].range,
        y = known[static_cast<std::size_t>(i.b)].range;
  if (i.verb == Verb::less && x.known() && y.known()) {
    if (x.high < y.low) return constant(bool_, 1);
    if (x.low >= y.high) return constant(bool_, 0);
  }
  if (i.verb == Verb::less_equal && x.known() && y.known()) {
    if (x.high <= y.low) return constant(bool_, 1);
    if (x.low > y.high) return constant(bool_, 0);
  }
  if (const auto narrow = compare_narrow(i)) return narrow;
  if (!right) return std::nullopt;
  std::uint64_t all_ones = identity_bits(Combiner::bit_and, at(i.a).type);
  switch (i.verb) {
    case Verb::add:
    case Verb::sub:
    case Verb::bit_or:
    case Verb::bit_xor:
    case Verb::shift_left:
    case Verb::shift_right_logical:
    case Verb::shift_right_arithmetic:
      if (*right == 0) return i.a;
      break;
    case Verb::mul:
      if (*right == 0) return i.b;
      if (*right == 1) return i.a;
      break;
    case Verb::div:
      if (*right == 1) return i.a;
      break;
    case Verb::rem:
      if (*right == 1) return constant(i.type, 0);
      break;
    case Verb::bit_and:
      if (*right == 0) return i.b;
      if (*right == all_ones) return i.a;
      break;
    default:
      break;
  }
  return std::nullopt;
}

/// An int64 that was converted from a narrower integer, compared with a constant that the narrower
/// type has, is compared in that type.
std::optional<Id> Builder::State::compare_narrow(const Instruction& i) {
  const bool compares = i.verb == Verb::less || i.verb == Verb::less_equal ||
                        i.verb == Verb::equal || i.verb == Verb::not_equal;
  if (!compares || at(i.a).type != int64) return std::nullopt;
  const bool left = constant_bits(i.a).has_value();
  if (left == constant_bits(i.b).has_value()) return std::nullopt;
  const Instruction& wide = at(left ? i.b : i.a);
  if (wide.verb != Verb::convert || !is_integer(at(wide.a).type)) return std::nullopt;
  const DType type = at(wide.a).type;
  const std::uint64_t bits = at(left ? i.a : i.b).bits;
  const auto value = static_cast<std::int64_t>(bits);
  const Range range = range_of(type);
  if (!range.known() || value < range.low || value > range.high) return std::nullopt;
  const Id narrow = wide.a, bound = constant(type, convert_bits(int64, type, bits));
  return emit({i.verb, bool_, left ? bound : narrow, left ? narrow : bound, -1, 0});
}

std::optional<Id> Builder::State::simplify_float(const Instruction& i) {
  bool binary = operand_count(i.verb) == 2;
  const bool right = binary && constant_bits(i.b).has_value();
  const std::uint64_t value = right ? at(i.b).bits : 0;
  if (!right || is_narrow_float(i.type)) return std::nullopt;
  switch (i.verb) {
    case Verb::add:
      if (value == bits_of(i.type, -0.0)) return i.a;
      break;
    case Verb::sub:
      if (value == 0) return i.a;
      break;
    case Verb::mul:
    case Verb::div:
      if (value == bits_of(i.type, 1)) return i.a;
      break;
    default:
      break;
  }
  return std::nullopt;
}

}  // namespace fluxion::kernel
