// trace and eval_shape: looking at a function without running it.
#include "fluxion/programs.hpp"
#include "trace/ops.hpp"
#include "transforms/walk.hpp"

#include <fmt/format.h>
#include <ostream>

namespace fluxion {
namespace detail {
namespace {

Types types_of(const Flat& arguments, std::string_view who, const Site& site) {
  Types out;
  for (const Array& a : arguments) {
    if (!defined(a))
      fail("empty-array", site, std::string(who) + ": an argument is an empty Array");
    out.push_back(type_of(a));
  }
  return out;
}

}  // namespace

Array abstract(const Spec& spec, Site site) {
  static Frame* const nowhere =
      [] {  // a frame that is never live: its values have shape and dtype only
        auto* f =
            new Frame(Frame::Kind::unbound, "fx::eval_shape, where an fx::Spec", Site::current());
        f->retain();
        f->live = false;
        return f;
      }();
  for (std::int64_t n : spec.shape)
    if (n < 0) fail("shape", site, "fx::Spec: a size is negative, " + to_string(spec));
  auto* n = new Node;
  n->state.store(Node::State::traced, std::memory_order_relaxed);
  n->type = spec;
  n->site = site;
  n->frame = Ref<Frame>(nowhere);
  return Access::make(n);
}

Flat run_abstract(FlatFunction f, Flat arguments) {
  const Traced traced =
      trace_function(f, types_of(arguments, "eval_shape", f.site), "eval_shape", f.site);
  Flat out;
  for (const Type& t : traced.graph->output_types()) out.push_back(abstract(t, f.site));
  return out;
}

Function run_trace(FlatFunction f, Flat arguments) {
  const Traced traced = trace_function(f, types_of(arguments, "trace", f.site), "trace", f.site);
  return Function(Ref<const Shared>(traced.graph.raw()));
}

}  // namespace detail

std::string Function::text() const { return to_string(static_cast<const Graph&>(*graph_), true); }
std::ostream& operator<<(std::ostream& out, const Function& f) { return out << f.text(); }

std::string Memory::text() const {
  std::string text = fmt::format(
      "arguments {} bytes, results {} bytes, temporaries {} bytes ({} alive), at most {} bytes at "
      "once\n",
      arguments,
      results,
      temporaries,
      alive,
      peak);
  for (const MemoryOwner& owner : owners)
    text += fmt::format("  {:>12}  {}  {}:{}\n",
                        owner.bytes,
                        owner.operation,
                        owner.site.file_name(),
                        owner.site.line());
  return text;
}
std::ostream& operator<<(std::ostream& out, const Memory& memory) { return out << memory.text(); }

}  // namespace fluxion
