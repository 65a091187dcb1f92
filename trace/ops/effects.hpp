// Programs with effects, where they run for examples that do not take part, or a second time.
#pragma once
#include "trace/graph.hpp"

namespace fluxion::ops {

/// The program with one more input, a bool of shape (): its effects, those inside the programs that
/// it holds included, happen only where it is true. For branches and loops whose condition has a
/// batch axis.
GraphRef guarded(const GraphRef&);
/// The program without its effects: for a derivative that runs it again. Refuses an io_callback
/// whose result is used (error `no-derivative`).
GraphRef without_effects(const GraphRef&);

}  // namespace fluxion::ops
