// Special functions on the host, by other means than kernels use: what compiled results are
// compared with.
#pragma once

namespace fluxion::ops::reference {

double digamma(double x);
double erf_inv(double x);
double zeta(double s, double q);
double polygamma(double n, double x);
double igamma(double a, double x);
double igammac(double a, double x);
double igamma_grad_a(double a, double x);
double betainc(double a, double b, double x);
double betainc_grad_a(double a, double b, double x);
/// exp(-|x|) I_n(x) for n = 0, 1.
double bessel_ie(int n, double x);

}  // namespace fluxion::ops::reference
