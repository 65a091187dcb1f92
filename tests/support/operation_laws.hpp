// The laws of one program on host data: kernels against references, tangents against differences,
// cotangents against tangents, batches against examples.
#pragma once
#include "tests/support/run_operation.hpp"
#include "trace/frame.hpp"

#include <functional>

namespace fluxion::test {

/// Operands number `seed`, always of the same types: random where that is allowed.
using Sampler = std::function<HostArrays(unsigned seed)>;

/// Numbers spread over (-2, 2) for floats, -4 to 4 for integers (0 to 8 without a sign), true or
/// false.
HostArray random_array(const Type&, unsigned seed);
/// A sampler of random operands.
Sampler random_sampler(const Types&);

/// Every operation's kernel gives what its reference gives.
void check_kernels(const Graph&, const HostArrays& inputs);
/// The jvp is the central difference; linearized it is the same; its transpose is the adjoint.
/// `order` 2 checks the derivatives of the derivative, too. Inputs that are not float64 are
/// constants.
void check_derivatives(const GraphRef&, const HostArrays& inputs, int order = 2);
/// Batched over any subset of inputs and any axis, of 3 examples and of none, the program gives its
/// examples' results.
void check_batches(const GraphRef&, const Sampler&);
/// The text of every operation of the program reads back as the same operation.
void check_text(const Graph&);
/// All of these.
void check_laws(const GraphRef&, const Sampler&, int order = 2);

/// The program that a function of arrays records.
GraphRef program(const Types& inputs, const std::function<Array(const ArrayList&)>&);
/// The text of the error that recording it ends in; empty if it does not.
std::string refusal(const Types& inputs, const std::function<Array(const ArrayList&)>&);

}  // namespace fluxion::test
