// A program run as one operation.
#pragma once
#include "trace/graph.hpp"

namespace fluxion::ops {

struct Call {
  static constexpr auto name = "call";
  GraphRef body;
  std::string function;  // what it was: "jit"

  Types types(TypeList in) const;
  Both jvp_region(Arrays x, Arrays dx) const;
  Both linearize_region(Arrays x, Arrays dx) const;
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const;
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const;
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const;
  ArrayList inlined(Arrays x) const;
  bool has_effects() const;
  std::vector<const Graph*> regions() const { return {body.raw()}; }
};

}  // namespace fluxion::ops
