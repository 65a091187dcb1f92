// Which operations a library runs, and the moves of elements before and after them that it takes in
// its strides.
#pragma once
#include "codegen/leaf.hpp"
#include "trace/graph.hpp"

#include <optional>
#include <vector>

namespace fluxion::codegen {

/// One library call of a program.
struct LeafCall {
  detail::Ref<PreparedLeaf> leaf;
  std::int32_t operation = -1;  // that asked for it
  /// The operations that it stands for: moves of operands, the operation, a move of the result.
  std::vector<std::int32_t> operations;
  std::vector<ValueId> inputs;        // what it reads
  ValueId output = -1;                // what it writes
  std::optional<MatmulSpec> product;  // with the moves in its strides
};

struct Leaves {
  std::vector<LeafCall> calls;
  std::vector<std::int32_t> call_of;  // of an operation that computes a call's output: which; or -1
};

/// Prepares every operation that asks for a library and is worth a call.
Leaves find_leaves(const Graph&);
/// Where no library is asked.
Leaves no_leaves(const Graph&);

/// Strides of a matrix product's operand that is a view: `strides` belong to a dense array of
/// `shape`, whose axes lie in memory at `view`. False if the product's axes have no strides there.
bool through_view(std::span<std::int64_t> strides,
                  std::span<const std::int64_t> extents,
                  const Shape& shape,
                  std::span<const std::int64_t> view);

}  // namespace fluxion::codegen
