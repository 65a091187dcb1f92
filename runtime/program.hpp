// The two ways of running a program: as native kernels, or operation by operation.
#pragma once
#include "runtime/executable.hpp"

namespace fluxion::runtime {

/// Walks the steps of a schedule over compiled kernels and library leaves.
detail::Ref<const Executable> native_program(const GraphRef&);
/// Runs the graph as it is through the references of its operations.
detail::Ref<const Executable> interpreted_program(const GraphRef&);

}  // namespace fluxion::runtime
