// The passes that a program goes through before kernels are cut: each a Graph to an equal Graph.
// Defined in transforms/.
#pragma once
#include "trace/graph.hpp"

namespace fluxion {

/// No pass changes a value, not even a bit of it; but `sums` and `arrange` decide which
/// contractions a library computes, `split` in which order large reductions combine, and `parts` in
/// which order many updates are added to few elements, all by shapes alone.
struct Pass {
  std::string_view name;
  GraphRef (*run)(const GraphRef&);
};
/// inline, simplify, sums, arrange, split, parts, cse, dce.
std::span<const Pass> passes();

/// Runs every pass in order. With FLUXION_VERIFY set (or in a debug build) each result is verified;
/// with FLUXION_DUMP=<folder> each is written there, with the time that it took.
GraphRef optimize(const GraphRef&);

/// Every call replaced by the operations of its body.
GraphRef inline_calls(const GraphRef&);
/// Values that are another value, or a constant, element by element are replaced by it.
GraphRef simplify(const GraphRef&);
/// Contractions that a loop's steps add to a carry, of rows that the loop reads or writes, as one
/// after the loop.
GraphRef sum_products_after_loops(const GraphRef&);
/// Contractions that a library can only compute with their axes in another order get transposed
/// operands.
GraphRef arrange_dots(const GraphRef&);
/// Reductions of very many elements to few results as two: over chunks, then over the chunks'
/// results.
GraphRef split_large_reductions(const GraphRef&);
/// Sums of very many updates to few elements as several, over parts of the updates, then over the
/// parts' sums.
GraphRef split_many_updates(const GraphRef&);
/// Equal pure operations on equal operands become one.
GraphRef share_equal_operations(const GraphRef&);
/// Operations that no output and no effect needs are dropped.
GraphRef drop_unused_operations(const GraphRef&);

/// The names of simplify's rules, for their tests.
std::vector<std::string_view> simplify_rules();

}  // namespace fluxion
