// The way back: a graph as StableHLO's text.
#pragma once
#include "trace/graph.hpp"

#include <string>

namespace fluxion::stablehlo {

/// A module with the function @main, and one for every program that an operation holds.
std::string write_graph(const Graph&);

}  // namespace fluxion::stablehlo
