// The list of pending operations outside frames: recorded in order, claimed by cuts, bounded in
// length.
#pragma once
#include "trace/node.hpp"

#include <mutex>

namespace fluxion {

/// Runs an operation with effects, outside every frame: at once. Defined in runtime/.
ArrayList run_now(const Op&, Arrays operands, TypeList results, const Site&);

/// Guards the pending list, and the `uses`, `mark`, links of every node.
std::mutex& lazy_lock() noexcept;
/// The oldest pending node; follow `next`. Under lazy_lock.
detail::Node* first_pending() noexcept;
std::size_t pending_count() noexcept;
/// Takes a node off the list (it was claimed, or dies). Under lazy_lock.
void unlink_pending(detail::Node&) noexcept;

/// Rule for bounding programs that never ask for a value: after this many pending operations, flush
/// where the program is back at the operation it began with; at `most_pending` in any case.
inline constexpr std::size_t enough_pending = 1024, most_pending = 16384;

namespace detail {
/// Before a node is deleted: takes it off the list and lets its operands know.
void forget_pending(Node&) noexcept;
}  // namespace detail

}  // namespace fluxion
