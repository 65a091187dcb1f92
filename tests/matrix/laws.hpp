// The laws that every program obeys, whatever its operations: each is written once, for a closed
// graph and operands of its inputs.
#pragma once
#include "tests/support/program.hpp"
#include "trace/graph_transforms.hpp"

#include <functional>
#include <string>

namespace fluxion::test {

/// Operands number `seed`, always of the same types.
using OperandSampler = std::function<HostArrays(unsigned seed)>;

// A law gives the first way in which it is broken as text, or nothing. Inputs of float64 are
// differentiated, all others are constants.

/// Compiled on memory that ends at guard pages, the program gives what its references give.
std::string law_of_compilation(const GraphRef&, const HostArrays& operands);

/// The jvp is the central difference, for the whole Jacobian. `worst`: raised to the largest error
/// relative to the scale of the Jacobian.
std::string law_of_differences(const GraphRef&,
                               const HostArrays& operands,
                               double* worst = nullptr);

/// Linearized, the tangents are the jvp's; <ct, Jv> = <J'ct, v>, where all coefficients are finite;
/// transposed twice, the linear program is itself.
std::string law_of_adjoints(const GraphRef&, const HostArrays& operands);

/// Column by column and row by row, the Jacobian is the same; the Hessian of a weighted sum of the
/// results is symmetric; the third derivative does not depend on the order of its directions.
std::string law_of_orders(const GraphRef&, const HostArrays& operands, int order = 3);

/// Batched along any axes of any inputs (at most `most` choices, evenly spread), of three examples
/// and of none, the program gives its examples' results.
std::string law_of_batches(const GraphRef&, const OperandSampler&, int most = 24);

/// Batched twice, in either order, it gives the results of the examples' examples.
std::string law_of_nested_batches(const GraphRef&, const OperandSampler&);

/// The text of the program, and of its jvp, linear, transposed and batched programs, reads back as
/// the same text; all are well formed.
std::string law_of_text(const GraphRef&);

/// Written as StableHLO and read again, the program and what the transforms make of it are the
/// same programs.
std::string law_of_stablehlo(const GraphRef&);

/// A jitted function gives bit for bit what it gives one operation at a time; called again, it
/// traces nothing and compiles nothing.
std::string law_of_calls(const ProgramFunction&, const HostArrays& operands);

/// The gradient of a weighted sum of the float64 results by the float64 inputs; the weights are
/// further inputs.
GraphRef gradient_program(const GraphRef&);

/// A graph and what the transforms make of it, without running anything.
std::vector<GraphRef> transformed_programs(const GraphRef&);

/// Which inputs have tangents.
std::vector<bool> differentiated_inputs(const Graph&);

/// All bits, but any NaN equals any NaN.
std::string bit_difference(const HostArrays& got, const HostArrays& expected);

}  // namespace fluxion::test
