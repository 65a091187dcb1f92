// Which formula belongs to which function and type.
#include "trace/kernel/math.hpp"

#include "trace/error.hpp"
#include "trace/kernel/math_erf.hpp"
#include "trace/kernel/math_gamma.hpp"
#include "trace/kernel/math_round.hpp"
#include "trace/kernel/math_trig.hpp"

namespace fluxion::kernel {

namespace {

/// Whether the formula for float32 is meant; only floats have formulas.
bool is_single(Scalar x) {
  if (x.type() != float32 && x.type() != float64) {
    throw InternalError("a transcendental function of something that is no float32 or float64");
  }
  return x.type() == float32;
}
bool counted_single(Scalar x) {
  x.builder().count_transcendental();
  return is_single(x);
}

}  // namespace

Scalar exp(Scalar x) {
  return counted_single(x) ? formulas::exp<formulas::SingleExp>(x)
                           : formulas::exp<formulas::DoubleExp>(x);
}
Scalar expm1(Scalar x) {
  return counted_single(x) ? formulas::expm1<formulas::SingleExp>(x)
                           : formulas::expm1<formulas::DoubleExp>(x);
}
Scalar log(Scalar x) {
  return counted_single(x) ? formulas::log<Single>(x) : formulas::log<Double>(x);
}
Scalar log1p(Scalar x) {
  return counted_single(x) ? formulas::log1p<Single>(x) : formulas::log1p<Double>(x);
}
Scalar sin(Scalar x) {
  return counted_single(x) ? formulas::sin<Single>(x) : formulas::sin<Double>(x);
}
Scalar cos(Scalar x) {
  return counted_single(x) ? formulas::cos<Single>(x) : formulas::cos<Double>(x);
}
Scalar tan(Scalar x) {
  return counted_single(x) ? formulas::tan<Single>(x) : formulas::tan<Double>(x);
}
Scalar tanh(Scalar x) {
  return counted_single(x) ? formulas::tanh<formulas::SingleExp>(x)
                           : formulas::tanh<formulas::DoubleExp>(x);
}
Scalar logistic(Scalar x) {
  return counted_single(x) ? formulas::logistic<formulas::SingleExp>(x)
                           : formulas::logistic<formulas::DoubleExp>(x);
}
Scalar erf(Scalar x) {
  return counted_single(x) ? formulas::erf<formulas::SingleErf>(x)
                           : formulas::erf<formulas::DoubleErf>(x);
}
Scalar erfc(Scalar x) {
  return counted_single(x) ? formulas::erfc<formulas::SingleErf>(x)
                           : formulas::erfc<formulas::DoubleErf>(x);
}
Scalar pow(Scalar x, Scalar y) {
  return counted_single(x) ? formulas::pow(Single{}, x, y) : formulas::pow(Double{}, x, y);
}
Scalar atan2(Scalar y, Scalar x) {
  return counted_single(y) ? formulas::atan2<formulas::SingleArc>(y, x)
                           : formulas::atan2<formulas::DoubleArc>(y, x);
}
Scalar lgamma(Scalar x) {
  return counted_single(x) ? formulas::lgamma(Single{}, x) : formulas::lgamma(Double{}, x);
}
Scalar digamma(Scalar x) {
  return counted_single(x) ? formulas::digamma(Single{}, x) : formulas::digamma(Double{}, x);
}
Scalar rsqrt(Scalar x) {
  is_single(x);
  return formulas::rsqrt(x);
}
Scalar remainder(Scalar x, Scalar y) {
  return is_single(x) ? formulas::remainder(Single{}, x, y) : formulas::remainder(Double{}, x, y);
}
Scalar round_away(Scalar x) {
  return is_single(x) ? formulas::round_away(Single{}, x) : formulas::round_away(Double{}, x);
}

}  // namespace fluxion::kernel
