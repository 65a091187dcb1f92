// Operations with effects outside every frame: they run at once.
#include "runtime/executable.hpp"
#include "trace/frame.hpp"
#include "trace/lazy.hpp"

namespace fluxion {

ArrayList run_now(const Op& op, Arrays operands, TypeList results, const Site& site) {
  if (!operands.empty()) evaluate(operands, site);
  std::vector<detail::Ref<Buffer>> made(results.size());
  if (op.regions().empty()) {
    std::vector<ConstTensor> in;
    std::vector<Tensor> out;
    for (const Array& a : operands) in.push_back({type_of(a), detail::Access::node(a)->data()});
    for (std::size_t k = 0; k < made.size(); ++k) {
      made[k] = allocate(bytes_of(results[k]));
      out.push_back({results[k], made[k]->data()});
    }
    op.reference(in, out, {});
  } else {
    GraphBuilder builder;
    std::vector<ValueId> inputs, outputs;
    std::vector<Argument> arguments;
    for (const Array& a : operands) {
      inputs.push_back(builder.input(type_of(a)));
      const detail::Node& node = *detail::Access::node(a);
      arguments.push_back({node.data(), node.buffer.raw(), false});
    }
    const ValueId first = builder.add(op, inputs, results, site);
    for (std::size_t k = 0; k < made.size(); ++k)
      outputs.push_back(first + static_cast<ValueId>(k));
    compile(builder.finish(std::move(outputs)))->run(arguments, made);
  }
  ArrayList arrays;
  for (std::size_t k = 0; k < made.size(); ++k)
    arrays.push_back(ready_array(results[k], std::move(made[k]), site));
  return arrays;
}

}  // namespace fluxion
