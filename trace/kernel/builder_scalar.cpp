// The operators of kernel scalars.
#include "trace/error.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

namespace fluxion::kernel {

namespace {

Builder& builder_of(Scalar a) {
  if (!a.defined()) throw InternalError("a kernel scalar without a value");
  return a.builder();
}
Scalar unary(Verb verb, Scalar a) { return builder_of(a).emit(verb, a.type(), a); }
Scalar binary(Verb verb, Scalar a, Scalar b) { return builder_of(a).emit(verb, a.type(), a, b); }
Scalar compare(Verb verb, Scalar a, Scalar b) { return builder_of(a).emit(verb, bool_, a, b); }

}  // namespace

DType Scalar::type() const { return builder_of(*this).type_of(id_); }
Scalar Scalar::like(double value) const { return builder_of(*this).constant(type(), value); }

Scalar operator+(Scalar a, Scalar b) { return binary(Verb::add, a, b); }
Scalar operator-(Scalar a, Scalar b) { return binary(Verb::sub, a, b); }
Scalar operator*(Scalar a, Scalar b) { return binary(Verb::mul, a, b); }
Scalar operator/(Scalar a, Scalar b) { return binary(Verb::div, a, b); }
Scalar operator%(Scalar a, Scalar b) { return binary(Verb::rem, a, b); }
Scalar operator-(Scalar a) { return unary(Verb::neg, a); }
Scalar operator&(Scalar a, Scalar b) { return binary(Verb::bit_and, a, b); }
Scalar operator|(Scalar a, Scalar b) { return binary(Verb::bit_or, a, b); }
Scalar operator^(Scalar a, Scalar b) { return binary(Verb::bit_xor, a, b); }
Scalar operator~(Scalar a) { return unary(Verb::bit_not, a); }
Scalar operator<<(Scalar a, Scalar b) { return binary(Verb::shift_left, a, b); }
Scalar operator>>(Scalar a, Scalar b) {
  return binary(
      is_signed(a.type()) ? Verb::shift_right_arithmetic : Verb::shift_right_logical, a, b);
}
Scalar operator==(Scalar a, Scalar b) { return compare(Verb::equal, a, b); }
Scalar operator!=(Scalar a, Scalar b) { return compare(Verb::not_equal, a, b); }
Scalar operator<(Scalar a, Scalar b) { return compare(Verb::less, a, b); }
Scalar operator<=(Scalar a, Scalar b) { return compare(Verb::less_equal, a, b); }
Scalar operator>(Scalar a, Scalar b) { return compare(Verb::less, b, a); }
Scalar operator>=(Scalar a, Scalar b) { return compare(Verb::less_equal, b, a); }

Scalar fma(Scalar a, Scalar b, Scalar c) {
  return builder_of(a).emit(Verb::fma, a.type(), a, b, c);
}
Scalar mulhi(Scalar a, Scalar b) { return binary(Verb::mulhi, a, b); }
Scalar min(Scalar a, Scalar b) { return binary(Verb::min, a, b); }
Scalar max(Scalar a, Scalar b) { return binary(Verb::max, a, b); }
Scalar abs(Scalar a) { return unary(Verb::abs, a); }
Scalar floor(Scalar a) { return unary(Verb::floor, a); }
Scalar ceil(Scalar a) { return unary(Verb::ceil, a); }
Scalar round_even(Scalar a) { return unary(Verb::round_even, a); }
Scalar truncate(Scalar a) { return unary(Verb::truncate, a); }
Scalar sqrt(Scalar a) { return unary(Verb::sqrt, a); }
Scalar clz(Scalar a) { return unary(Verb::clz, a); }
Scalar popcount(Scalar a) { return unary(Verb::popcount, a); }
Scalar shift_left(Scalar a, Scalar b) { return binary(Verb::shift_left, a, b); }
Scalar shift_right_logical(Scalar a, Scalar b) { return binary(Verb::shift_right_logical, a, b); }
Scalar shift_right_arithmetic(Scalar a, Scalar b) {
  return binary(Verb::shift_right_arithmetic, a, b);
}
Scalar select(Scalar condition, Scalar yes, Scalar no) {
  return builder_of(condition).emit(Verb::select, yes.type(), condition, yes, no);
}
Scalar convert(Scalar a, DType type) {
  return a.type() == type ? a : builder_of(a).emit(Verb::convert, type, a);
}
Scalar bitcast(Scalar a, DType type) {
  return a.type() == type ? a : builder_of(a).emit(Verb::bitcast, type, a);
}

}  // namespace fluxion::kernel
