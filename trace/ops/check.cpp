// check: a condition that must hold when the program runs.
#include "trace/ops.hpp"
#include "trace/ops/axes.hpp"
#include "trace/ops/host.hpp"

namespace fluxion {
namespace ops {
std::span<const Rules* const> check_rules();

namespace {

std::string bracketed(const std::vector<std::int64_t>& index) {
  std::string out = "[";
  for (std::size_t k = 0; k < index.size(); ++k) out += (k ? "," : "") + std::to_string(index[k]);
  return out + "]";
}

/// Operand 0 says whether it happens; operand 1 is the condition; the others are for the text.
struct Check {
  static constexpr auto name = "check";
  static constexpr bool effects = true;
  std::string text;
  std::vector<std::int64_t> holes;
  LaneList lanes;
  SiteHandle site;

  Types types(TypeList in) const {
    if (in.size() < 2 || !(without_lane_axes(lanes, 0, in[0]) == Type{{}, bool_}) ||
        in[1].dtype != bool_)
      throw InternalError("check: operands 0 and 1 are no conditions");
    return {};
  }
  std::vector<const Graph*> regions() const { return {}; }
  Both jvp_region(Arrays x, Arrays) const { return {emit_all(*this, x, rule_site()), {}}; }
  Both linearize_region(Arrays x, Arrays dx) const { return jvp_region(x, dx); }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    auto [operands, all] = with_lanes(lanes, x, at, size);
    return {emit_all(Check{text, holes, all, site}, operands, rule_site()), {}};
  }
  void reference(ConstTensors in, Tensors out, const RegionRunner&) const {
    for_each_lane(lanes, in, out, [&](ConstTensors x, Tensors, const auto& example) {
      if (!*x[0].as<bool>()) return;
      const bool* condition = x[1].as<bool>();
      for_each_index(x[1].type.shape, [&](const auto& index, std::int64_t flat) {
        if (!condition[flat]) refuse(x, index, example);
      });
    });
  }

 private:
  [[noreturn]] void refuse(ConstTensors x,
                           const std::vector<std::int64_t>& index,
                           const std::vector<std::int64_t>& example) const {
    std::string message = fill(text, holes, x.subspan(2));
    // What an array has behind its first line belongs below the place.
    const std::size_t line = std::min(message.find('\n'), message.size());
    std::string more = message.substr(line);
    for (std::size_t k = 0; (k = more.find('\n', k)) != more.npos; k += 3)
      more.replace(k, 1, "\n  ");
    if (!index.empty())
      more += "\n  | the condition, " + to_string(x[1].type) + ", is false at " + bracketed(index);
    if (!example.empty()) more += "\n  | in example " + bracketed(example) + " of the batch";
    throw Error("check", site.site(), message.substr(0, line) + more);
  }
};

}  // namespace

std::span<const Rules* const> check_rules() {
  static constexpr const Rules* rules[] = {rules_of<Check>()};
  return rules;
}

}  // namespace ops

namespace detail {

void run_check(const Operand& condition,
               std::string_view format,
               std::vector<FormatValue> values,
               Site given) {
  const Site site = current_site(given);
  Array holds = condition.array();
  if (!defined(holds)) fail("empty-array", site, "check: the condition is an empty Array");
  if (type_of(holds).dtype != bool_)
    holds = ops::compare(ops::Direction::ne, holds, zeros_of(type_of(holds)), site);
  const ops::FlatFormat flat = ops::flatten(format, values);
  ArrayList operands{ops::always_active(), std::move(holds)};
  operands.insert(operands.end(), flat.arrays.begin(), flat.arrays.end());
  emit_all(ops::Check{flat.text, flat.holes, {}, ops::SiteHandle(site)}, operands, site);
}

}  // namespace detail
}  // namespace fluxion
