// Graphs as StableHLO's text.
#include "interop/stablehlo_write.hpp"

#include "trace/error.hpp"

namespace fluxion::stablehlo {
std::string write_graph(const Graph&) { throw InternalError("to do"); }
}  // namespace fluxion::stablehlo
