// The two ways of running a program: as native kernels, or operation by operation.
#pragma once
#include "runtime/executable.hpp"

namespace fluxion::runtime {

/// Walks the steps of a schedule over compiled kernels and library leaves. `optimised` is `traced`
/// after the passes.
detail::Ref<const Executable> native_program(const GraphRef& optimised, const GraphRef& traced);
/// Runs the graph as it is through the references of its operations.
detail::Ref<const Executable> interpreted_program(const GraphRef&);
/// Runs the graph operation by operation, each compiled by itself, and throws Error "nan" where one
/// makes a NaN of operands without one.
detail::Ref<const Executable> nan_checked_program(const GraphRef&);
/// Whether debug::check_nans is on.
bool checking_nans() noexcept;

}  // namespace fluxion::runtime
