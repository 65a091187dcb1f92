// A jitted function's programs: traced once, compiled, called again and again.
#include "fluxion/jit.hpp"

#include "runtime/program.hpp"
#include "runtime/recorder.hpp"
#include "runtime/run_step.hpp"
#include "trace/frame.hpp"
#include "trace/ops.hpp"

#include <mutex>

namespace fluxion::detail {
namespace {

bool checking = false;

Types types_of(const Flat& arguments, const Site& site) {
  Types out;
  for (const Array& a : arguments) {
    if (!defined(a))
      fail("empty-array",
           site,
           "jit: an argument is an empty Array: it was default-constructed or moved from");
    out.push_back(type_of(a));
  }
  return out;
}

/// The array's value; it is ready afterwards.
void force(const Flat& arrays, const Site& site) {
  bool all_ready = true;
  for (const Array& a : arrays)
    all_ready =
        all_ready && Access::node(a)->state.load(std::memory_order_acquire) == Node::State::ready;
  if (!all_ready) eval_flat(arrays, site);
}

class CompiledFunction final : public Program {
 public:
  CompiledFunction(FlatFunction f, const Flat& arguments) : inputs_(types_of(arguments, f.site)) {
    {
      const runtime::Recorded phase("trace");
      Traced traced = trace_function(f, inputs_, "jit", f.site);
      captures_ = std::move(traced.captures);
      graph_ = std::move(traced.graph);
    }
    force(captures_, f.site);
    outputs_ = graph_->output_types();
    program_ = fluxion::compile(graph_);
  }

  bool accepts(const Flat& arguments) const override {
    if (arguments.size() != inputs_.size()) return false;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Node* n = Access::node(arguments[i]);
      if (!n || !(n->type == inputs_[i])) return false;
    }
    return true;
  }

  Flat run(Flat arguments, std::span<const Given> given, Site site) override {
    const SiteScope here(site);
    force(arguments, site);
    runtime::Scratch<Argument, 16> in(arguments.size() + captures_.size());
    runtime::Scratch<Ref<Buffer>, 16> out(outputs_.size());
    std::size_t n = 0;
    auto add = [&](const Array& array, bool away) {
      const Node& node = *Access::node(array);
      const bool give = away && node.buffer && !node.buffer->borrowed() &&
                        node.references.load(std::memory_order_acquire) == 1 &&
                        node.buffer->unique();
      in[n++] = {node.data(), node.buffer.raw(), give};
    };
    for (const Given& argument : given)
      while (n < argument.end) add(arguments[n], argument.away);
    while (n < arguments.size()) add(arguments[n], false);
    for (const Array& captured : captures_) add(captured, false);
    if (runtime::checking_nans())
      runtime::nan_checked_program(graph_)->run({in.data(), in.size()}, {out.data(), out.size()});
    else
      program_->run({in.data(), in.size()}, {out.data(), out.size()});
    // The results take the place of the arguments: a call allocates one list.
    arguments.resize(out.size());
    for (std::size_t k = 0; k < out.size(); ++k)
      arguments[k] = ready_array(outputs_[k], std::move(out[k]), site);
    return arguments;
  }

  void check(FlatFunction f) const override {
    const Traced again = trace_function(f, inputs_, "jit", f.site);
    bool same = same_program(*again.graph, *graph_) && again.captures.size() == captures_.size();
    for (std::size_t i = 0; same && i < captures_.size(); ++i)
      same = Access::node(again.captures[i]) == Access::node(captures_[i]);
    if (!same)
      fail("stale-capture",
           f.site,
           "jit: the function records another program than at its first call with these types",
           {"a captured variable was assigned, or the function reads something that changed"},
           "pass what changes as an argument; jit copies the function and its captures once");
  }

  Cost cost() const override { return {program_->cost().flops, program_->cost().bytes}; }
  Memory memory() const override {
    const ProgramMemory m = program_->memory();
    Memory memory{m.arguments, m.results, m.temporaries, m.peak, m.alive};
    memory.owners = program_->owners(graph_);
    return memory;
  }
  std::string explain() const override { return program_->table(graph_); }
  std::string kernels() const override { return program_->kernels(); }
  std::string llvm_ir() const override { return program_->llvm_ir(); }
  std::string assembly() const override { return program_->assembly(); }

 private:
  Types inputs_, outputs_;
  ArrayList captures_;  // hidden inputs, as they were at the trace; never given away
  GraphRef graph_;
  Ref<const Executable> program_;
};

}  // namespace

Cache::~Cache() {
  for (const CacheEntry* e = newest_; e;) {
    const CacheEntry* next = e->next;
    e->release();
    e = next;
  }
}
void Cache::add(Ref<CacheEntry> entry) {
  static std::mutex lock;
  std::lock_guard guard(lock);
  entry->retain();
  entry->next = newest_;
  __atomic_store_n(&newest_, entry.raw(), __ATOMIC_RELEASE);
}

Ref<Program> compile(FlatFunction f, const Flat& arguments) {
  return Ref<Program>(new CompiledFunction(f, arguments));
}

bool inside_frame() { return current_frame() != nullptr; }

Flat run_inside_frame(FlatFunction f, Flat arguments) {
  const Traced traced = trace_function(f, types_of(arguments, f.site), "jit", f.site);
  arguments.insert(arguments.end(), traced.captures.begin(), traced.captures.end());
  return ops::call(traced.graph, "jit", arguments, f.site);
}

bool checking_jit() { return checking; }
bool is_empty(const Array& a) { return !defined(a); }
void fail_signature(Site site) {
  fail("signature",
       site,
       "the arguments have other shapes or dtypes than those that the program was compiled for");
}

}  // namespace fluxion::detail

namespace fluxion::debug {
void check_jit(bool on) { detail::checking = on; }
}  // namespace fluxion::debug
