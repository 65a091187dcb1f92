// Operations that are defined by an equation: their derivatives come from the equation, not from
// how it was solved.
#pragma once
#include "trace/graph.hpp"

namespace fluxion::ops {

/// The solution x of A x = b for a linear A. Each program: constants, then a vector like b -> a
/// vector like b. `matvec` is A, `solve` its inverse, `transpose_solve` the inverse of its
/// transpose (empty: reverse mode is the error `linear-solve`). `symmetric`: A is its own
/// transpose.
ArrayList linear_solve(GraphRef matvec,
                       GraphRef solve,
                       GraphRef transpose_solve,
                       bool symmetric,
                       Arrays constants,
                       Arrays b,
                       const Site&);

/// What a root's derivative needs of an equation f(x) = 0.
struct RootPrograms {
  GraphRef function;         // constants, x -> f(x)
  GraphRef solve;            // constants, first guess -> x
  GraphRef matvec;           // constants, x, v -> the derivative of f at x along v
  GraphRef tangent_solve;    // constants, x, y -> v with matvec v = y
  GraphRef transpose_solve;  // the same for the transposed derivative
};
ArrayList root(const RootPrograms&, Arrays constants, Arrays guess, const Site&);

/// constants, cotangents -> what the transpose of a linear program gives. The program is linear in
/// the inputs from number `constants` on.
GraphRef transposed_program(const GraphRef&, std::size_t constants);

}  // namespace fluxion::ops
