// Complex numbers made and taken apart.
#include "fluxion/complex.hpp"

#include "trace/composed/common.hpp"

namespace fluxion {
namespace {

using namespace composed;

bool has_parts(const Array& x) { return is_complex(type_of(x).dtype); }

}  // namespace

Array complex(const Operand& re, const Operand& im) {
  const DType met = wide_dtype(real_dtype(common_dtype({&re, &im})));
  const Pair p = meet("complex", re, im, met);
  return ops::binary("complex", p.x, p.y, re.site());
}

Array real(const Operand& x) {
  const Array a = array_of(x);
  return has_parts(a) ? ops::unary("real", a, x.site()) : a;
}
Array imag(const Operand& x) {
  const Array a = array_of(x);
  return has_parts(a) ? ops::unary("imag", a, x.site()) : zeros_like(x);
}
Array conj(const Operand& x) {
  const Array a = array_of(x);
  return has_parts(a) ? ops::unary("conj", a, x.site()) : a;
}
Array angle(const Operand& x) {
  SiteScope here(x.site());
  const Array a = composed::real(x, "angle");
  return atan2(imag(a), real(a));
}
Array isreal(const Operand& x) {
  SiteScope here(x.site());
  return imag(x) == 0;
}
Array iscomplex(const Operand& x) {
  SiteScope here(x.site());
  return imag(x) != 0;
}
bool iscomplexobj(const Operand& x) { return is_complex(composed::dtype_of(x)); }

}  // namespace fluxion
