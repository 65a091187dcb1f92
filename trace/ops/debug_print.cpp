// debug_print: a line of text with values, written when the program runs; and where it is written.
#include "trace/frame.hpp"
#include "trace/ops/host.hpp"
#include "trace/outside.hpp"

#include <cstdio>
#include <mutex>

namespace fluxion {
namespace ops {
std::span<const Rules* const> debug_print_rules();

namespace {

struct Sink {
  std::mutex lock;
  detail::Ref<detail::PrintSink> to;
};
Sink& sink() {
  static auto* made = new Sink;  // never destroyed: programs may still print at the end
  return *made;
}

void write_line(const std::string& line) {
  const OutsideScope outside;
  std::lock_guard guard(sink().lock);
  if (sink().to) return sink().to->write(line);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

/// Operand 0 says whether it happens.
struct DebugPrint {
  static constexpr auto name = "debug_print";
  static constexpr bool effects = true;
  std::string text;
  std::vector<std::int64_t> holes;
  LaneList lanes;

  Types types(TypeList in) const {
    if (in.empty() || !(without_lane_axes(lanes, 0, in[0]) == Type{{}, bool_}))
      throw InternalError("debug_print: operand 0 is no condition");
    return {};
  }
  std::vector<const Graph*> regions() const { return {}; }
  Both jvp_region(Arrays x, Arrays) const { return {emit_all(*this, x, rule_site()), {}}; }
  Both linearize_region(Arrays x, Arrays dx) const { return jvp_region(x, dx); }
  Batched batch(Arrays x, BatchAxes at, std::int64_t size) const {
    auto [operands, all] = with_lanes(lanes, x, at, size);
    return {emit_all(DebugPrint{text, holes, all}, operands, rule_site()), {}};
  }
  void reference(ConstTensors in, Tensors out, const RegionRunner&) const {
    for_each_lane(lanes, in, out, [&](ConstTensors x, Tensors, const auto&) {
      if (*x[0].as<bool>()) write_line(fill(text, holes, x.subspan(1)));
    });
  }
};

}  // namespace

std::span<const Rules* const> debug_print_rules() {
  static constexpr const Rules* rules[] = {rules_of<DebugPrint>()};
  return rules;
}

}  // namespace ops

namespace detail {

void set_print_sink(Ref<PrintSink> to) {
  std::lock_guard guard(ops::sink().lock);
  ops::sink().to = std::move(to);
}

void run_print(std::string_view format, std::vector<FormatValue> values, Site given) {
  const Site site = current_site(given);
  const ops::FlatFormat flat = ops::flatten(format, values);
  ArrayList operands{ops::always_active()};
  operands.insert(operands.end(), flat.arrays.begin(), flat.arrays.end());
  emit_all(ops::DebugPrint{flat.text, flat.holes, {}}, operands, site);
}

}  // namespace detail
}  // namespace fluxion
