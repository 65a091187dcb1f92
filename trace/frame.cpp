// Where a recorded operation goes: into the innermost frame that wants it, or into the lazy graph.
#include "trace/frame.hpp"

#include "trace/lazy.hpp"
#include "trace/ops.hpp"
#include "trace/ops/call.hpp"
#include "trace/ops/constant.hpp"
#include "trace/outside.hpp"
#include "trace/rewrite.hpp"

#include <algorithm>

namespace fluxion {
namespace {

thread_local Frame* top = nullptr;

std::string place(const Site& s) {
  return std::string(s.file_name()) + ":" + std::to_string(s.line());
}

/// The frame of a traced operand, which must be live and this thread's.
const Frame* checked_frame(const Array& a, const Site& site) {
  const detail::Node* n = detail::Access::node(a);
  if (!n)
    fail("empty-array",
         site,
         "an operand is an empty Array: it was default-constructed or moved from",
         {},
         "give it a value first, for example fx::zeros(shape)");
  if (n->state.load(std::memory_order_relaxed) != detail::Node::State::traced) return nullptr;
  const Frame* f = n->frame.raw();
  if (f->thread != std::this_thread::get_id())
    fail("other-thread",
         site,
         "an operand belongs to a program that another thread is tracing",
         {"recorded at " + place(n->site)},
         "hand evaluated arrays to other threads, or trace inside them");
  if (!f->live)
    fail("leaked-value",
         site,
         "an operand was recorded inside " + std::string(f->what) + ", which has finished",
         {"recorded at " + place(n->site),
          std::string(f->what) + " was called at " + place(f->site)},
         "return the value from the traced function instead of storing it in a variable outside");
  return f;
}

Frame* choose(Arrays operands, const Site& site) {
  const Frame* frames[16];
  std::size_t count = 0;
  std::vector<const Frame*> more;
  for (const Array& a : operands)
    if (const Frame* f = checked_frame(a, site)) {
      if (count < 16)
        frames[count++] = f;
      else
        more.push_back(f);
    }
  for (Frame* f = top; f; f = f->below) {
    if (f->kind == Frame::Kind::unbound) return f;
    for (std::size_t i = 0; i < count; ++i)
      if (frames[i] == f) return f;
    for (const Frame* other : more)
      if (other == f) return f;
  }
  if (count) throw InternalError("an operand belongs to a frame above the one that records");
  return nullptr;
}

}  // namespace

Frame* current_frame() noexcept { return top; }
Frame* exchange_frame(Frame* frame) noexcept { return std::exchange(top, frame); }

const Frame* frame_of(const Array& a) {
  const detail::Node* n = detail::Access::node(a);
  return n && n->state.load(std::memory_order_relaxed) == detail::Node::State::traced
             ? n->frame.raw()
             : nullptr;
}

Array Frame::value(ValueId v, const Site& s) {
  auto* n = new detail::Node;
  n->state.store(detail::Node::State::traced, std::memory_order_relaxed);
  n->type = builder.type(v);
  n->site = s;
  n->frame = detail::Ref<Frame>(this);
  n->value = v;
  return detail::Access::make(n);
}

ValueId Frame::value_of(const Array& a, const Site& s) {
  const detail::Node* n = detail::Access::node(a);
  if (!n) fail("empty-array", s, "an array is empty: it was default-constructed or moved from");
  if (checked_frame(a, s) == this) return n->value;
  if (auto at = captured.find(n); at != captured.end()) return at->second;
  ValueId v;
  if (n->literal) {
    v = builder.add(ops::Constant{n->type.dtype, n->scalar[0], n->scalar[1]}, {}, n->site);
    known.resize(std::max(known.size(), static_cast<std::size_t>(v) + 1));
    known[static_cast<std::size_t>(v)] = a;
    return v;
  }
  v = builder.input(n->type);
  captures.push_back(a);
  capture_values.push_back(v);
  captured.emplace(n, v);
  known.resize(static_cast<std::size_t>(v) + 1);
  known[static_cast<std::size_t>(v)] = a;
  return v;
}

Array Frame::lower(ValueId v) {
  const auto at = [](ValueId i) { return static_cast<std::size_t>(i); };
  known.resize(std::max(known.size(), at(v) + 1));
  if (defined(known[at(v)])) return known[at(v)];
  // What it depends on, in the order of recording.
  std::vector<std::int32_t> needed;
  std::vector<ValueId> stack{v};
  std::vector<char> seen(builder.operation_count());
  while (!stack.empty()) {
    const ValueId u = stack.back();
    stack.pop_back();
    if (defined(known[at(u)])) continue;
    const std::int32_t p = builder.producer(u);
    if (p < 0)  // the tangents of a derivative are the only inputs without one; user's code meets
                // them in rules alone
      fail("effect-on-tangent",
           site,
           "an effect in a derivative rule reads a tangent, which has no value in reverse mode",
           {"the tangent is " + to_string(builder.type(u))},
           "print or check the cotangent in the backward rule of fx::custom_vjp, or use forward "
           "mode: fx::jvp");
    if (seen[at(p)]) continue;
    seen[at(p)] = 1;
    needed.push_back(p);
    for (ValueId w : builder.operation(at(p)).operands) stack.push_back(w);
  }
  std::sort(needed.begin(), needed.end());
  const BelowScope below(*this);
  for (std::int32_t p : needed) {
    const Operation& o = builder.operation(at(p));
    ArrayList operands;
    for (ValueId w : o.operands) operands.push_back(known[at(w)]);
    const RuleSite line(o.site);
    ArrayList results = emit_all(o.op, operands, o.site);
    for (std::int32_t k = 0; k < o.result_count; ++k) {
      known.resize(std::max(known.size(), at(o.first_result + k) + 1));
      known[at(o.first_result + k)] = std::move(results[at(k)]);
    }
  }
  return known[at(v)];
}

FrameScope::FrameScope(Frame::Kind kind, std::string_view what, const Site& site)
    : frame_(new Frame(kind, what, site)) {
  frame_->below = top;
  top = frame_.raw();
}
FrameScope::~FrameScope() {
  if (open_) pop();
}

void FrameScope::pop() {
  open_ = false;
  frame_->live = false;
  top = frame_->below;
}

Array FrameScope::input(const Type& type, const Site& site) {
  const ValueId v = frame_->builder.input(type);
  frame_->inputs.push_back(v);
  return frame_->value(v, site);
}

Array FrameScope::bind(const Array& known, const Site& site) {
  Array a = input(type_of(known), site);
  const auto v = static_cast<std::size_t>(frame_->inputs.back());
  frame_->known.resize(v + 1);
  frame_->known[v] = known;
  return a;
}

Traced FrameScope::close(Arrays outputs) {
  std::vector<ValueId> values;
  for (const Array& a : outputs) values.push_back(frame_->value_of(a, frame_->site));
  pop();
  return {stabilize(frame_->builder.finish(std::move(values))), frame_->captures};
}

BoundProgram FrameScope::close_bound(Arrays outputs) {
  Frame& f = *frame_;
  std::vector<ValueId> values;
  for (const Array& a : outputs) values.push_back(f.value_of(a, f.site));
  const std::size_t output_count = values.size();
  ArrayList asked;  // values that .item() made known: they stay outputs through the rewrites, so
                    // that nothing is computed twice
  for (std::size_t v = 0; v < f.known.size(); ++v) {
    const std::int32_t p = f.builder.producer(static_cast<ValueId>(v));
    if (p < 0 || !defined(f.known[v]) ||
        f.builder.operation(static_cast<std::size_t>(p)).op.as<ops::Constant>())
      continue;
    values.push_back(static_cast<ValueId>(v));
    asked.push_back(f.known[v]);
  }
  pop();
  BoundProgram out;
  for (ValueId v : f.inputs) out.inputs.push_back(f.known[static_cast<std::size_t>(v)]);
  out.inputs.insert(out.inputs.end(), f.captures.begin(), f.captures.end());
  const GraphRef all = stabilize(f.builder.finish(std::move(values)), out.inputs);
  for (std::size_t i = 0; i < asked.size(); ++i)
    out.known.emplace_back(all->outputs()[output_count + i], asked[i]);
  out.graph =
      asked.empty()
          ? all
          : all->with_outputs({all->outputs().begin(),
                               all->outputs().begin() + static_cast<std::ptrdiff_t>(output_count)});
  return out;
}

BelowScope::BelowScope(const Frame& frame) : saved_(top) { top = frame.below; }
BelowScope::~BelowScope() { top = saved_; }

namespace {

/// Operands of an effect with the frames left that know values: what can be seen from outside
/// happens once, where it is recorded, and not in a derivative.
ArrayList below_bound_frames(Arrays operands, const Site& site) {
  ArrayList x(operands.begin(), operands.end());
  for (Frame* f = choose(x, site); f && f->kind == Frame::Kind::bound; f = choose(x, site))
    for (Array& a : x)
      if (frame_of(a) == f) a = f->lower(detail::Access::node(a)->value);
  return x;
}

/// What the operation gives for operands of these types. Few operands (most operations) need no
/// allocation.
template <class Operand>
Types result_types(const Op& op, std::size_t count, const Site& site, const Operand& operand) {
  const SiteScope line(site);  // type rules speak of the user's line
  if (count <= 3) {
    Type few[3];
    for (std::size_t i = 0; i < count; ++i) few[i] = operand(i);
    return op.types(TypeList(few, count));
  }
  Types in;
  in.reserve(count);
  for (std::size_t i = 0; i < count; ++i) in.push_back(operand(i));
  return op.types(in);
}
Types result_types(const Op& op, Arrays operands, const Site& site) {
  return result_types(op, operands.size(), site, [&](std::size_t i) -> const Type& {
    return type_of(operands[i]);
  });
}

}  // namespace

ArrayList emit_all(const Op& op, Arrays given_operands, const Site& given) {
  const Site site = current_site(given);
  ArrayList lowered;
  Arrays operands = given_operands;
  if (op.effects()) {
    if (op.regions().empty())
      operands = lowered = below_bound_frames(given_operands, site);
    else if (const Frame* frame = choose(operands, site);
             frame && frame->kind == Frame::Kind::bound && op.as<ops::Call>())
      return op.inlined(operands);
  }
  if (const auto* constant = op.as<ops::Constant>())
    return {literal_bits(constant->dtype, constant->low, constant->high, site)};
  Frame* frame = choose(operands, site);
  Types results = result_types(op, operands, site);
  if (!frame)
    return op.effects() ? run_now(op, operands, results, site)
                        : record_lazily(op, operands, std::move(results), site);
  std::vector<ValueId> values;
  values.reserve(operands.size());
  for (const Array& a : operands) values.push_back(frame->value_of(a, site));
  const ValueId first = frame->builder.add(op, std::move(values), results, site);
  ArrayList out;
  for (std::size_t i = 0; i < results.size(); ++i)
    out.push_back(frame->value(first + static_cast<ValueId>(i), site));
  return out;
}

bool is_number_for(const Array& a, const Shape& shape) {
  const detail::Node* n = detail::Access::node(a);
  return n && n->literal && n->type.shape.empty() && !shape.empty();
}

Array emit_with_numbers(const Op& op, Arrays operands, const Site& given) {
  const Site site = current_site(given);
  const auto array = std::find_if(
      operands.begin(), operands.end(), [](const Array& a) { return !type_of(a).shape.empty(); });
  const Shape& shape = type_of(*array).shape;
  if (choose(operands, site)) {
    ArrayList repeated;
    for (const Array& a : operands)
      repeated.push_back(is_number_for(a, shape) ? ops::broadcast_in_dim(a, shape, {}, site) : a);
    return emit(op, repeated, site);
  }
  Types results = result_types(op, operands.size(), site, [&](std::size_t i) {
    return Type{shape, type_of(operands[i]).dtype};
  });
  return record_lazily(op, operands, std::move(results[0]), site, true);
}

Array emit(const Op& op, Arrays operands, const Site& given) {
  if (!top && !op.effects() && !op.as<ops::Constant>()) {
    // Outside frames, where users wait for it: the same without a list of results.
    const Site site = current_site(given);
    choose(operands, site);  // refuses what no operation may have as operand
    Types results = result_types(op, operands, site);
    if (results.size() == 1) return record_lazily(op, operands, std::move(results[0]), site);
  }
  return std::move(emit_all(op, operands, given)[0]);
}

Traced trace_function(detail::FlatFunction f,
                      TypeList inputs,
                      std::string_view what,
                      const Site& site) {
  FrameScope scope(Frame::Kind::unbound, what, site);
  ArrayList in;
  for (const Type& t : inputs) in.push_back(scope.input(t, site));
  return scope.close(f.call(f.self, std::move(in)));
}

}  // namespace fluxion
