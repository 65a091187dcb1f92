// Sorts the residuals of a loop body.
#include "trace/ops/residuals.hpp"

#include "trace/ops/regions.hpp"

#include <algorithm>

namespace fluxion::ops {

Residuals::Residuals(const LinearizedGraph& parts,
                     std::size_t results,
                     const std::function<Input(std::size_t)>& kind_of) {
  const Graph& forward = *parts.forward;
  const auto inputs = static_cast<std::size_t>(forward.input_count());
  std::vector<bool> moving;
  for (std::size_t k = 0; k < inputs; ++k) {
    constant_inputs_.push_back(kind_of(k) == Input::constant);
    moving.push_back(!constant_inputs_.back());
  }
  const std::vector<bool> changes = reached_outputs(forward, moving);
  const bool effects = has_effects(forward);
  std::vector<ValueId> constants;
  for (std::size_t r = 0; r < parts.residual_count; ++r) {
    const std::size_t output = results + r;
    const ValueId v = forward.outputs()[output];
    if (v < forward.input_count() && kind_of(static_cast<std::size_t>(v)) == Input::again) {
      places_.push_back({From::again, static_cast<std::size_t>(v)});
      inputs_.push_back(static_cast<std::size_t>(v));
    } else if (!changes[output] && (!effects || v < forward.input_count())) {
      places_.push_back({From::constant, constants.size()});
      constants.push_back(v);
    } else {
      places_.push_back({From::saved, saved_.size()});
      saved_.push_back(output);
    }
  }
  const GraphRef only = forward.with_outputs(constants);
  hoisted_ = record_graph(only->input_types(), [&](Arrays in) {
    if (!effects) return inline_graph(*only, in);
    ArrayList out;  // inputs as they are
    for (ValueId v : constants) out.push_back(in[static_cast<std::size_t>(v)]);
    return out;
  });
}

ArrayList Residuals::saved(Arrays outputs) const {
  ArrayList out;
  for (std::size_t k : saved_) out.push_back(outputs[k]);
  return out;
}

ArrayList Residuals::constants(Arrays inputs) const {
  if (hoisted_->outputs().empty()) return {};
  ArrayList all;
  for (std::size_t k = 0; k < inputs.size(); ++k)
    all.push_back(constant_inputs_[k] ? inputs[k]
                                      : zeros_of(hoisted_->type(static_cast<ValueId>(k))));
  return inline_graph(*hoisted_, all);
}

ArrayList Residuals::together(Arrays constants, Arrays saved, Arrays again) const {
  ArrayList out;
  for (const Place& p : places_) {
    const Arrays from = p.from == From::saved      ? saved
                        : p.from == From::constant ? constants
                                                   : again;
    out.push_back(from[p.number]);
  }
  return out;
}

}  // namespace fluxion::ops
