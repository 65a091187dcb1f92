// Frames: the per-thread stack of programs being recorded; how operations find the frame they
// belong to and outer values get in.
#pragma once
#include "fluxion/calling.hpp"
#include "trace/graph.hpp"
#include "trace/node.hpp"

#include <string_view>
#include <thread>
#include <unordered_map>

namespace fluxion {

/// A program under construction. Values of it are Arrays whose nodes are `traced`.
class Frame : public detail::Shared {
 public:
  /// unbound (jit, vmap, bodies of loops): records everything, knows no values.
  /// bound (grad, jvp, vjp, linearize): records what has an operand in it, the rest goes one frame
  /// down; its inputs are known arrays, so it can answer .item().
  enum class Kind { unbound, bound };

  Kind kind;
  std::string_view what;  // "jit": for errors
  Site site;
  std::thread::id thread = std::this_thread::get_id();
  bool live = true;
  Frame* below = nullptr;
  GraphBuilder builder;
  std::vector<ValueId> inputs;
  ArrayList captures;  // arrays of outer frames, in the order of the inputs that they became
  std::vector<ValueId> capture_values;
  std::unordered_map<const detail::Node*, ValueId> captured;
  std::vector<Array>
      known;  // bound: by value, the array one frame down; empty until it was asked for

  Frame(Kind k, std::string_view w, const Site& s) : kind(k), what(w), site(s) {}
  Array value(ValueId, const Site&);            // an Array for a value of this frame
  ValueId value_of(const Array&, const Site&);  // captures it if it is not of this frame
  /// bound: the array one frame down that a value stands for; emits what it depends on, once.
  Array lower(ValueId);
};

/// What a finished frame leaves: a closed graph whose inputs are the frame's inputs and then its
/// captures.
struct Traced {
  GraphRef graph;
  ArrayList captures;
};

/// What a finished bound frame leaves: the program, the arrays that its inputs (then captures)
/// stand for, and the values that were already asked for.
struct BoundProgram {
  GraphRef graph;
  ArrayList inputs;
  std::vector<std::pair<ValueId, Array>> known;
};

/// Pushes a frame on this thread's stack for as long as it lives (or until close).
class FrameScope {
 public:
  FrameScope(Frame::Kind, std::string_view what, const Site&);
  ~FrameScope();
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;

  Array input(const Type&, const Site&);        // an unknown input
  Array bind(const Array& known, const Site&);  // bound: an input that stands for `known`
  Frame& frame() const { return *frame_; }
  /// Pops the frame and closes its program. Stable rewrites run here.
  Traced close(Arrays outputs);
  /// The same for a bound frame, whose inputs are known.
  BoundProgram close_bound(Arrays outputs);
  void pop();

 private:
  detail::Ref<Frame> frame_;
  bool open_ = true;
};

/// While one lives, this thread records below `frame` (in whatever is under it).
class BelowScope {
 public:
  explicit BelowScope(const Frame& frame);
  ~BelowScope();

 private:
  Frame* saved_;
};

/// The innermost live frame of this thread, or null.
Frame* current_frame() noexcept;
/// The frame of a traced array, or null.
const Frame* frame_of(const Array&);

/// While one lives, what rules record belongs to this line: the forward operation's.
class RuleSite {
 public:
  explicit RuleSite(const Site&) noexcept;
  ~RuleSite();

 private:
  const Site* saved_;
};

/// Calls a user's function on fresh inputs of an unbound frame.
Traced trace_function(detail::FlatFunction, TypeList inputs, std::string_view what, const Site&);

// ---- the lazy graph, outside every frame ----
/// A pending node for an operation whose operands are all outside frames. `repeats`: operands that
/// are bare numbers stand for arrays of the result's shape.
Array record_lazily(const Op&, Arrays operands, Type result, const Site&, bool repeats = false);
/// The same for any number of results.
ArrayList record_lazily(const Op&, Arrays operands, Types results, const Site&);
/// Records an elementwise operation with one result, of arrays of one shape and bare numbers: in a
/// frame the numbers are repeated, outside they stay what they are.
Array emit_with_numbers(const Op&, Arrays operands, const Site&);
/// Whether an array is a bare number that emit_with_numbers repeats to this shape.
bool is_number_for(const Array&, const Shape&);
/// Evaluates these arrays (and every live pending array that shares a pending ancestor with them).
/// Defined in runtime/.
void evaluate(Arrays, const Site&);
/// Evaluates every pending array that somebody holds: bounds the memory of programs that never ask.
/// Defined in runtime/.
void flush();
/// A scalar from bits; a literal of a program.
Array literal_bits(DType, std::uint64_t low, std::uint64_t high, const Site&);
/// An array around memory that is ready.
Array ready_array(const Type&, detail::Ref<Buffer>, const Site&);

}  // namespace fluxion
