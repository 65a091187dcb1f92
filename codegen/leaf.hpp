// What a schedule knows of a library call: it is prepared once and run often.
#pragma once
#include "fluxion/core.hpp"
#include "trace/leaf.hpp"

#include <cstddef>
#include <string>

namespace fluxion::codegen {

/// A library call whose decisions are made: implementation, layouts, how threads share it. May be
/// run by several threads at the same time, each with its own scratch.
class PreparedLeaf : public detail::Shared {
 public:
  /// Reads `in` and writes `out` in the order of the specification's operands. `scratch` has
  /// scratch_bytes() bytes, aligned to 64; it is null only if that is 0. Shares the work over the
  /// thread pool itself, unless called from inside one of its tasks.
  virtual void run(const void* const* in, void* const* out, void* scratch) const = 0;
  std::size_t scratch_bytes() const { return scratch_bytes_; }
  /// One line for reports: sizes, the library's implementation, the number of slabs.
  virtual std::string description() const = 0;

 protected:
  std::size_t scratch_bytes_ = 0;
};

/// Whether a call shares its work over the thread pool.
enum class Share { threads, none };

/// Null when no library does this well: the operation's own body is compiled then (defined in
/// runtime/).
detail::Ref<PreparedLeaf> prepare(const LeafSpec& spec, Share = Share::threads);

/// A matrix product one of whose operands stays the same from run to run.
struct KeptOperand {
  detail::Ref<PreparedLeaf> layout;   // lays it out: one input, one output, no scratch
  detail::Ref<PreparedLeaf> product;  // reads what that wrote in the operand's place
  std::size_t bytes = 0;              // that it writes
};
/// Which products a layout is to serve: those of the specification, or of any number of rows.
enum class Rows { given, any };
/// No leaves where the operand is fast as it lies (defined in runtime/).
KeptOperand prepare_kept(const MatmulSpec& spec, int operand, Rows = Rows::given);

/// The most threads that one step uses (defined in runtime/).
int most_threads() noexcept;

}  // namespace fluxion::codegen
