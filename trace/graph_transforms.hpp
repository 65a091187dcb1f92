// Transformations of closed graphs, memoized: what operations that hold programs ask for. Defined
// in transforms/.
#pragma once
#include "trace/graph.hpp"

namespace fluxion {

/// Inputs: all primals, then the tangents of the active ones. Outputs: all primal results, then the
/// tangents of those in `nonzero`.
struct JvpGraph {
  GraphRef graph;
  std::vector<bool> nonzero;
};
JvpGraph jvp_graph(const GraphRef&, const std::vector<bool>& active);

/// forward: inputs -> outputs, then residuals. linear: residuals, then the tangents of the active
/// inputs -> the tangents of the outputs in `nonzero`.
struct LinearizedGraph {
  GraphRef forward, linear;
  std::size_t residual_count;
  std::vector<bool> nonzero;
};
LinearizedGraph linearize_graph(const GraphRef&, const std::vector<bool>& active);

/// Of a graph that is linear in the inputs marked `linear`. Inputs: the others, then the cotangents
/// of the outputs marked `given`, then what the cotangents of the linear inputs marked `seeded` (by
/// linear input; none: no input) begin with. Outputs: the cotangents of the linear inputs in
/// `nonzero`, in order.
struct TransposedGraph {
  GraphRef graph;
  std::vector<bool> nonzero;  // for each linear input
};
TransposedGraph transpose_graph(const GraphRef&,
                                const std::vector<bool>& linear,
                                const std::vector<bool>& given,
                                const std::vector<bool>& seeded = {});

/// Inputs and outputs with batch axes; `axes[i]` of output i (unbatched possible).
struct BatchedGraph {
  GraphRef graph;
  std::vector<int> axes;
};
BatchedGraph batch_graph(const GraphRef&, const std::vector<int>& at, std::int64_t size);

}  // namespace fluxion
