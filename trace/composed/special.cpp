// The special functions in terms of the primitives that are tables or loops in the kernel language.
#include "fluxion/special.hpp"

#include "trace/composed/common.hpp"
#include "trace/ops/special.hpp"

namespace fluxion::special {
namespace {

using namespace composed;
/// The operands as real numbers of one dtype and shape.
ArrayList meet_real(std::string_view who, std::initializer_list<const Operand*> operands) {
  const Site& site = (*operands.begin())->site();
  const DType d = real_dtype(common_dtype(operands));
  ArrayList arrays;
  for (const Operand* o : operands) arrays.push_back(as(*o, d, who));
  const Shape shape = broadcast_shapes(who, arrays, site);
  for (Array& a : arrays) a = broadcast(who, a, shape, site);
  return arrays;
}

Array of_table(std::string_view row,
               std::string_view who,
               std::initializer_list<const Operand*> operands) {
  return ops::special(row, meet_real(who, operands), (*operands.begin())->site());
}

}  // namespace

Array polygamma(const Operand& n, const Operand& x) {
  return of_table("polygamma", "polygamma", {&n, &x});
}
Array zeta(const Operand& x, const Operand& q) { return of_table("zeta", "zeta", {&x, &q}); }

}  // namespace fluxion::special

namespace fluxion::lax {

Array digamma(const Operand& x) {
  return ops::unary("digamma", composed::real(x, "digamma"), x.site());
}
Array lgamma(const Operand& x) {
  return ops::unary("lgamma", composed::real(x, "lgamma"), x.site());
}

}  // namespace fluxion::lax
