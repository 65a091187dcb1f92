// Iterative solvers of linear equations, as in jax.scipy.sparse.linalg.
#pragma once
#include "control_flow.hpp"
#include "implicit.hpp"
#include "ops.hpp"

namespace fluxion::scipy::sparse::linalg {

/// When an iterative solver stops: the residual's norm is at most max(tol * |b|, atol), or after
/// `maxiter` steps (default: ten for each unknown).
struct IterativeOptions {
  double tol = 1e-5, atol = 0;
  std::optional<std::int64_t> maxiter = {};
};

}  // namespace fluxion::scipy::sparse::linalg

namespace fluxion::detail {

/// sum of x * y over the arrays of two trees of one structure.
template <class T> Array tree_dot(const T& x, const T& y) {
  const Flat a = detail::leaves(x), b = detail::leaves(y);
  Array total;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const Array part = fluxion::sum(a[k] * b[k]);
    total = k ? total + part : part;
  }
  return total;
}
/// x + scale * y.
template <class T> T tree_axpy(const Array& scale, const T& y, const T& x) {
  Flat a = detail::leaves(x);
  const Flat b = detail::leaves(y);
  for (std::size_t k = 0; k < a.size(); ++k) a[k] = a[k] + scale * b[k];
  return detail::rebuild(x, std::move(a));
}
template <class T> std::int64_t tree_size(const T& x) {
  std::int64_t n = 0;
  for (const Array& a : detail::leaves(x)) n += a.size();
  return n;
}

template <class T> struct CgState {
  T x, r, p;
  Array gamma, residual, step;
};

/// Hestenes and Stiefel (1952), preconditioned: Saad, Iterative Methods for Sparse Linear Systems,
/// algorithm 9.1.
template <class A, class M, class T>
T conjugate_gradients(const A& matvec,
                      const M& precondition,
                      const T& b,
                      const T& x0,
                      const scipy::sparse::linalg::IterativeOptions& options) {
  const Array norm = detail::tree_dot(b, b);
  const Array goal =
      fluxion::maximum(norm * (options.tol * options.tol), options.atol * options.atol);
  const std::int64_t most = options.maxiter.value_or(10 * detail::tree_size(b));
  const T r = detail::tree_axpy(Array(-1.0).astype(norm.dtype()), matvec(x0), b);
  const T z = precondition(r);
  const CgState<T> start{
      x0, r, z, detail::tree_dot(r, z), detail::tree_dot(r, r), Array(std::int64_t{0})};
  auto moving = [=](CgState<T> s) { return (s.residual > goal) & (s.step < most); };
  auto step = [&](CgState<T> s) {
    const T ap = matvec(s.p);
    const Array alpha = s.gamma / detail::tree_dot(s.p, ap);
    CgState<T> next = s;
    next.x = detail::tree_axpy(alpha, s.p, s.x);
    next.r = detail::tree_axpy(-alpha, ap, s.r);
    const T z = precondition(next.r);
    next.gamma = detail::tree_dot(next.r, z);
    next.residual = detail::tree_dot(next.r, next.r);
    next.p = detail::tree_axpy(next.gamma / s.gamma, s.p, z);
    next.step = s.step + 1;
    return next;
  };
  return fluxion::while_loop(moving, step, start).x;
}

/// The linear function that a user means: a function, or a matrix.
template <class A> auto linear_function(const A& a) {
  if constexpr (std::is_same_v<A, Array>)
    return [a](Array x) { return fluxion::matmul(a, x); };
  else
    return a;
}
}  // namespace fluxion::detail

namespace fluxion::scipy::sparse::linalg {

/// x with A x = b by conjugate gradients, for a symmetric positive definite A: a linear function of
/// a tree like b, or a matrix. `x0`: the first guess; `M`: an approximate inverse of A. Real
/// floating dtypes. Derivatives, with respect to b and to what A captured, are further solutions
/// (see fx::lax::custom_linear_solve). Unlike JAX's it returns x alone: there is no `info`.
template <class A, class B, class M>
B cg(const A& a,
     const B& b,
     const B& x0,
     M preconditioner,
     IterativeOptions options = {},
     Site site = Site::current()) {
  const SiteScope scope(site);
  auto solve = [=](const auto& matvec, const B& b) {
    return detail::conjugate_gradients(matvec, preconditioner, b, x0, options);
  };
  return lax::custom_linear_solve(detail::linear_function(a), b, solve, lax::symmetric, site);
}
template <class A, class B>
B cg(const A& a,
     const B& b,
     const B& x0,
     IterativeOptions options = {},
     Site site = Site::current()) {
  return linalg::cg(a, b, x0, [](const B& r) { return r; }, options, site);
}
template <class A, class B>
B cg(const A& a, const B& b, IterativeOptions options = {}, Site site = Site::current()) {
  detail::Flat zeros = detail::leaves(b);
  for (Array& x : zeros) x = fluxion::zeros_like(x);
  return linalg::cg(a, b, detail::rebuild(b, std::move(zeros)), options, site);
}

}  // namespace fluxion::scipy::sparse::linalg
