// Loops and branches over closed programs, as functions that record one operation each, and their
// fields: what the schedule and the emitters look at.
#pragma once
#include "trace/graph.hpp"

namespace fluxion::ops {

/// A loop of known length. Operands: the count (if `counted`), constants, initial carries, arrays
/// that are read row by row along their leading axis. Results: the last carries, arrays that were
/// written row by row.
struct Scan {
  static constexpr auto name = "scan";
  GraphRef body;  // row number (int64), constants, carries, rows -> carries, rows
  std::int64_t length = 0;
  int constants = 0, carries = 0;
  bool reverse = false;  // from the last row to the first
  /// Operand 0, an int64, says how many rows there are, at most `length`; result rows beyond it are
  /// zero.
  bool counted = false;

  int count_operands() const { return counted ? 1 : 0; }
  int rows() const { return body->input_count() - 1 - constants - carries; }
  std::size_t written_rows() const {
    return body->outputs().size() - static_cast<std::size_t>(carries);
  }

  Types types(TypeList in) const;
  Both jvp_region(Arrays x, Arrays dx) const;
  Both linearize_region(Arrays x, Arrays dx) const;
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const;
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const;
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const;
  std::optional<Pruned> prune(const std::vector<bool>& used) const;
  bool has_effects() const;
  std::vector<const Graph*> regions() const { return {body.raw()}; }

 private:
  Batched batch_by_masks(Arrays x, BatchAxes at, std::int64_t size) const;
  void transpose_after(const std::vector<bool>& linear_carries,
                       Arrays ct,
                       const Operands& x,
                       Accumulators& out) const;
};
ArrayList scan(Scan, Arrays operands, const Site&);

/// Repeats `body` while `condition` holds. Operands: the condition's constants, the body's
/// constants, initial carries; results: the last carries. A condition of shape [lanes...] (the
/// leading axes of every carry) stops each lane by itself: its carries stay what they were when its
/// condition first failed.
struct While {
  static constexpr auto name = "while";
  GraphRef condition;  // condition constants, carries -> bool
  GraphRef body;       // body constants, carries -> carries
  int condition_constants = 0, body_constants = 0;

  int carries() const { return body->input_count() - body_constants; }
  const Shape& lanes() const { return condition->type(condition->outputs()[0]).shape; }

  Types types(TypeList in) const;
  Both jvp_region(Arrays x, Arrays dx) const;
  Both linearize_region(Arrays x, Arrays dx) const;
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const;
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const;
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const;
  std::optional<Pruned> prune(const std::vector<bool>& used) const;
  bool has_effects() const;
  std::vector<const Graph*> regions() const { return {condition.raw(), body.raw()}; }
};
ArrayList while_loop(While, Arrays operands, const Site&);

/// A while loop of at most `limit` steps, with a condition of shape (): reverse mode keeps what
/// each step needs. Operands and results as While's.
struct BoundedWhile {
  static constexpr auto name = "bounded_while";
  GraphRef condition, body;
  int condition_constants = 0, body_constants = 0;
  std::int64_t limit = 0;

  int carries() const { return body->input_count() - body_constants; }

  Types types(TypeList in) const;
  Both jvp_region(Arrays x, Arrays dx) const;
  Both linearize_region(Arrays x, Arrays dx) const;
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const;
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const;
  ArrayList inlined(Arrays x) const;
  bool has_effects() const;
  std::vector<const Graph*> regions() const { return {condition.raw(), body.raw()}; }
};
ArrayList bounded_while(BoundedWhile, Arrays operands, const Site&);

/// One of several programs. Operand 0 (int32, shape ()) chooses, clamped to the branches there are;
/// the others go to the branch.
struct Cond {
  static constexpr auto name = "cond";
  std::vector<GraphRef> branches;

  Types types(TypeList in) const;
  Both jvp_region(Arrays x, Arrays dx) const;
  Both linearize_region(Arrays x, Arrays dx) const;
  void transpose(Arrays ct, const Operands& x, Accumulators& out) const;
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const;
  void reference(ConstTensors in, Tensors out, const RegionRunner& run) const;
  std::optional<Pruned> prune(const std::vector<bool>& used) const;
  bool has_effects() const;
  std::vector<const Graph*> regions() const {
    std::vector<const Graph*> all;
    for (const GraphRef& b : branches) all.push_back(b.raw());
    return all;
  }

 private:
  Batched batch_all(Arrays x, BatchAxes at, std::int64_t size) const;
};
ArrayList cond(Cond, Arrays operands, const Site&);

}  // namespace fluxion::ops
