// Where the first NaN comes from: a program run operation by operation, looked at after each.
#include "fluxion/debug.hpp"
#include "runtime/program.hpp"
#include "trace/frame.hpp"
#include "trace/ops/host.hpp"
#include "trace/passes.hpp"

#include <atomic>
#include <cstring>

namespace fluxion {
namespace {

using detail::Ref;

std::atomic<bool> checking{false};

/// The flat position of the first NaN, or -1.
std::int64_t first_nan(const Type& type, const void* data) {
  const std::int64_t count = element_count(type.shape);
  return by_dtype(type.dtype, [&](auto tag) -> std::int64_t {
    using T = typename decltype(tag)::type;
    const T* values = static_cast<const T*>(data);
    for (std::int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
        if (std::isnan(static_cast<float>(values[i]))) return i;
      } else if constexpr (std::is_floating_point_v<T>) {
        if (std::isnan(values[i])) return i;
      } else if constexpr (std::is_same_v<T, Complex64> || std::is_same_v<T, Complex128>) {
        if (std::isnan(values[i].real) || std::isnan(values[i].imag)) return i;
      }
    }
    return -1;
  });
}

std::string index_text(const Shape& shape, std::int64_t flat) {
  std::string out;
  for (std::size_t k = shape.size(); k-- > 0;) {
    out = std::to_string(flat % shape[k]) + (out.empty() ? "" : ",") + out;
    flat /= shape[k];
  }
  return "[" + out + "]";
}

struct Value {
  Type type;
  Ref<Buffer> buffer;
  const void* data = nullptr;
};

using Values = std::vector<Value>;

/// Runs operations one by one, those in the programs of loops and branches too.
class NanCheck {
 public:
  /// All values of the program.
  static Values walk(const Graph& graph, Values values) {
    for (const Operation& o : graph.operations()) {
      Values operands;
      for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
      Values made =
          o.op.regions().empty() ? run_one(graph, o, operands) : run_regions(graph, o, operands);
      blame(o, operands, made);
      for (Value& value : made) values.push_back(std::move(value));
    }
    return values;
  }
  static Ref<Buffer> copied(const Value& value) {
    const std::size_t bytes = bytes_of(value.type);
    Ref<Buffer> copy = allocate(bytes);
    if (bytes > 0) std::memcpy(copy->data(), value.data, bytes);
    return copy;
  }

 private:
  static Values run_one(const Graph& graph, const Operation& o, const Values& operands) {
    Values made;
    const TypeList types = graph.result_types(o);
    std::vector<Ref<Buffer>> buffers(types.size());
    GraphBuilder builder;
    std::vector<ValueId> inputs, outputs;
    std::vector<Argument> arguments;
    for (const Value& x : operands) {
      inputs.push_back(builder.input(x.type));
      arguments.push_back({x.data, x.buffer.raw(), false});
    }
    const ValueId first = builder.add(o.op, inputs, types, o.site);
    for (std::size_t k = 0; k < types.size(); ++k)
      outputs.push_back(first + static_cast<ValueId>(k));
    compile(builder.finish(std::move(outputs)))->run(arguments, buffers);
    for (std::size_t k = 0; k < types.size(); ++k)
      made.push_back({types[k], buffers[k], buffers[k]->data()});
    return made;
  }

  static Values run_regions(const Graph& graph, const Operation& o, const Values& operands) {
    Values made;
    std::vector<ConstTensor> in;
    std::vector<Tensor> out;
    for (const Value& x : operands) in.push_back({x.type, x.data});
    for (const Type& type : graph.result_types(o)) {
      const Ref<Buffer> buffer = allocate(bytes_of(type));
      made.push_back({type, buffer, buffer->data()});
      out.push_back({type, buffer->data()});
    }
    o.op.reference(in, out, [](const Graph& region, ConstTensors inputs) {
      const GraphRef inlined = inline_calls(GraphRef(&region));
      Values values;
      for (const ConstTensor& x : inputs) values.push_back({x.type, {}, x.data});
      values = walk(*inlined, std::move(values));
      std::vector<Ref<Buffer>> outputs;
      for (ValueId v : inlined->outputs())
        outputs.push_back(copied(values[static_cast<std::size_t>(v)]));
      return outputs;
    });
    return made;
  }

  static void blame(const Operation& o, const Values& operands, const Values& results) {
    for (const Value& result : results) {
      const std::int64_t at = first_nan(result.type, result.data);
      if (at < 0) continue;
      for (const Value& x : operands)
        if (first_nan(x.type, x.data) >= 0) return;  // handed on
      std::string text =
          std::string(o.op.name()) + " made a NaN of operands without one\n  | its " + "result, " +
          to_string(result.type) + ", is NaN" + (result.type.shape.empty() ? "" : " at ") +
          (result.type.shape.empty() ? "" : index_text(result.type.shape, at));
      for (std::size_t k = 0; k < operands.size(); ++k) {
        const Value& x = operands[k];
        text += "\n  | operand " + std::to_string(k) + ", " + to_string(x.type);
        const bool there = x.type.shape == result.type.shape;
        if (!there && !x.type.shape.empty()) continue;
        const auto* element = static_cast<const char*>(x.data) +
                              static_cast<std::size_t>(there ? at : 0) * size_of(x.type.dtype);
        text += ", is " + elements_text({{}, x.type.dtype}, element) +
                (x.type.shape.empty() ? "" : " there");
      }
      throw Error("nan", o.site, text);
    }
  }
};

class NanCheckedProgram final : public Executable {
 public:
  explicit NanCheckedProgram(const GraphRef& graph) : graph_(inline_calls(graph)) {}

  void run(std::span<const Argument> arguments, std::span<Ref<Buffer>> results) const override {
    Values values;
    for (std::size_t k = 0; k < arguments.size(); ++k)
      values.push_back({graph_->type(static_cast<ValueId>(k)),
                        Ref<Buffer>(arguments[k].buffer),
                        arguments[k].data});
    values = NanCheck::walk(*graph_, std::move(values));
    for (std::size_t k = 0; k < results.size(); ++k)
      results[k] = NanCheck::copied(values[static_cast<std::size_t>(graph_->outputs()[k])]);
  }
  ProgramCost cost() const override { return {}; }
  ProgramMemory memory() const override { return {}; }
  std::vector<MemoryOwner> owners(const GraphRef&) const override { return {}; }
  std::string table(const GraphRef&) const override { return {}; }
  std::string kernels() const override { return {}; }
  std::string llvm_ir() const override { return {}; }
  std::string assembly() const override { return {}; }
  std::size_t step_count() const override { return graph_->operations().size(); }

 private:
  GraphRef graph_;
};

}  // namespace

namespace runtime {
Ref<const Executable> nan_checked_program(const GraphRef& graph) {
  return Ref<const Executable>(new NanCheckedProgram(graph));
}
bool checking_nans() noexcept { return checking.load(std::memory_order_relaxed); }
}  // namespace runtime

namespace debug {
void check_nans(bool on) { checking.store(on, std::memory_order_relaxed); }
}  // namespace debug
}  // namespace fluxion
