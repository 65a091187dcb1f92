// Solutions of equations: their derivatives come from the equation, not from how it was solved.
#pragma once
#include "transforms.hpp"

namespace fluxion {
namespace detail {
/// A linear function on flat lists.
struct LinearMap : Shared {
  virtual Flat apply(Flat x, Site) const = 0;
};
/// A user's solver of linear equations on flat lists.
struct FlatSolver {
  void* self;
  Flat (*call)(void* self, Ref<const LinearMap>, Flat b);
};
Flat run_linear_solve(FlatFunction matvec,
                      Flat b,
                      FlatSolver solve,
                      const FlatSolver* transpose_solve,
                      bool symmetric);
Flat run_root(FlatFunction f, Flat guess, FlatFunction solve, FlatSolver tangent_solve);
}  // namespace detail

/// A linear function of a tree, as solvers get it.
template <class T> class LinearOperator {
 public:
  LinearOperator(detail::Ref<const detail::LinearMap> map, T like)
      : map_(std::move(map)), like_(std::move(like)) {}
  T operator()(const T& x, Site site = Site::current()) const {
    return detail::rebuild(like_, map_->apply(detail::leaves(x), site));
  }

 private:
  detail::Ref<const detail::LinearMap> map_;
  T like_;
};

namespace detail {
template <class Solve, class T> struct TypedSolver {
  const Solve& solve;
  const T& like;
  Site site;
  FlatSolver flat() { return {this, &TypedSolver::run}; }
  static Flat run(void* p, Ref<const LinearMap> map, Flat b) {
    auto& self = *static_cast<TypedSolver*>(p);
    const LinearOperator<T> a(std::move(map), self.like);
    const T x = detail::invoke(self.site, self.solve, a, detail::rebuild(self.like, std::move(b)));
    return detail::leaves(x);
  }
};

template <class Matvec, class T, class Solve, class Transposed>
T linear_solve(const Matvec& matvec,
               const T& b,
               const Solve& solve,
               const Transposed* transposed,
               bool symmetric,
               Site site) {
  const std::tuple<T> like(b);
  auto a = detail::make_tracer(matvec, like, site);
  static_assert(std::is_same_v<typename decltype(a)::Out, T>,
                "fx::lax::custom_linear_solve: matvec must return the type of b");
  TypedSolver<Solve, T> forward{solve, b, site};
  if (!transposed)
    return detail::rebuild(
        b,
        detail::run_linear_solve(a.flat(), detail::leaves(b), forward.flat(), nullptr, symmetric));
  TypedSolver<Transposed, T> backward{*transposed, b, site};
  const FlatSolver flat = backward.flat();
  return detail::rebuild(
      b, detail::run_linear_solve(a.flat(), detail::leaves(b), forward.flat(), &flat, symmetric));
}
}  // namespace detail

namespace lax {

struct Symmetric {
  explicit Symmetric() = default;
};
inline constexpr Symmetric symmetric{};

/// x with matvec(x) = b, found by solve(a, b), where `a` is matvec as a fx::LinearOperator. matvec
/// must be linear; x, b and its result are trees of one structure. Derivatives, with respect to b
/// and to what matvec captured, are further solutions with the same matvec; what `solve` does is
/// never differentiated. Without transpose_solve, reverse mode is the error `linear-solve`.
template <class Matvec, class B, class Solve>
auto custom_linear_solve(Matvec matvec, const B& b, Solve solve, Site site = Site::current()) {
  using T = detail::differentiated<B>;
  return detail::linear_solve<Matvec, T, Solve, Solve>(matvec, T(b), solve, nullptr, false, site);
}
/// The same with a solver of the transposed equation: transpose_solve(a, b), where `a` is the
/// transpose of matvec.
template <class Matvec, class B, class Solve, class TransposeSolve>
auto custom_linear_solve(Matvec matvec,
                         const B& b,
                         Solve solve,
                         TransposeSolve transpose_solve,
                         Site site = Site::current()) {
  using T = detail::differentiated<B>;
  return detail::linear_solve<Matvec, T, Solve, TransposeSolve>(
      matvec, T(b), solve, &transpose_solve, false, site);
}
/// The same for a matvec that is its own transpose.
template <class Matvec, class B, class Solve>
auto custom_linear_solve(
    Matvec matvec, const B& b, Solve solve, Symmetric, Site site = Site::current()) {
  using T = detail::differentiated<B>;
  return detail::linear_solve<Matvec, T, Solve, Solve>(matvec, T(b), solve, &solve, true, site);
}

/// x with f(x) = 0, found by solve(f, first guess). f's result has the structure of x.
/// tangent_solve(g, y) gives v with g(v) = y for a linear g (a fx::LinearOperator): the derivative
/// of f at x, or its transpose. Derivatives are with respect to what f captured, by the implicit
/// function theorem; what `solve` does is never differentiated.
template <class F, class Guess, class Solve, class TangentSolve>
auto custom_root(F f,
                 const Guess& initial_guess,
                 Solve solve,
                 TangentSolve tangent_solve,
                 Site site = Site::current()) {
  using T = detail::differentiated<Guess>;
  const std::tuple<T> like{T(initial_guess)};
  const T& guess = std::get<0>(like);
  auto function = detail::make_tracer(f, like, site);
  static_assert(std::is_same_v<typename decltype(function)::Out, T>,
                "fx::lax::custom_root: f must return the type of x");
  auto search = [&](T x) -> T { return detail::invoke(site, solve, f, std::move(x)); };
  auto solver = detail::make_tracer(search, like, site);
  detail::TypedSolver<TangentSolve, T> tangent{tangent_solve, guess, site};
  return detail::rebuild(
      guess,
      detail::run_root(function.flat(), detail::leaves(guess), solver.flat(), tangent.flat()));
}
}  // namespace lax
}  // namespace fluxion
