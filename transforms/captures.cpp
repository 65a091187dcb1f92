// Captures of several programs as inputs of each.
#include "transforms/captures.hpp"

#include <algorithm>

namespace fluxion {

void Captures::add(const Traced& traced) {
  for (const Array& a : traced.captures)
    if (position(a) == arrays_.size()) arrays_.push_back(a);
}

std::size_t Captures::position(const Array& a) const {
  const auto same = [&](const Array& b) {
    return detail::Access::node(a) == detail::Access::node(b);
  };
  return static_cast<std::size_t>(std::find_if(arrays_.begin(), arrays_.end(), same) -
                                  arrays_.begin());
}

GraphRef Captures::closed(const Traced& traced, std::size_t head) const {
  const Graph& graph = *traced.graph;
  const std::size_t own = static_cast<std::size_t>(graph.input_count()) - traced.captures.size();
  GraphBuilder builder;
  std::vector<ValueId> values, captured;
  const auto input = [&](const Type& type) { return builder.input(type); };
  for (std::size_t k = 0; k < head; ++k) values.push_back(input(graph.input_types()[k]));
  for (const Array& a : arrays_) captured.push_back(input(type_of(a)));
  for (std::size_t k = head; k < own; ++k) values.push_back(input(graph.input_types()[k]));
  for (const Array& a : traced.captures) values.push_back(captured[position(a)]);
  for (const Operation& o : graph.operations()) {
    std::vector<ValueId> operands;
    for (ValueId v : o.operands) operands.push_back(values[static_cast<std::size_t>(v)]);
    const ValueId first =
        builder.add(o.op, std::move(operands), graph.result_types(o), o.site, false);
    for (std::int32_t k = 0; k < o.result_count; ++k) values.push_back(first + k);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : graph.outputs()) outputs.push_back(values[static_cast<std::size_t>(v)]);
  return builder.finish(std::move(outputs), false);
}

Types checked_types(const detail::Flat& arguments, std::string_view what, const Site& site) {
  Types out;
  for (const Array& a : arguments) {
    if (!defined(a))
      fail("empty-array",
           site,
           std::string(what) +
               ": an argument is an empty Array: it was default-constructed or moved from");
    out.push_back(type_of(a));
  }
  return out;
}

}  // namespace fluxion
