// Special functions of several arguments, elementwise.
#pragma once
#include "trace/ops.hpp"

namespace fluxion::ops {

/// A function of the table in ops/special.cpp, of floats of one dtype and shape: "zeta" (s, q),
/// "polygamma" (n, x), "igamma" and "igammac" (a, x), "igamma_grad_a" (a, x), "betainc" (a, b, x),
/// "betainc_grad_a" (a, b, x), "bessel_i0e" and "bessel_i1e" (x).
Array special(std::string_view name, Arrays operands, const Site&);

}  // namespace fluxion::ops
