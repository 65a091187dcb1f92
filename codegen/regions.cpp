// Plans the memory of loops and branches, and their programs.
#include "codegen/regions.hpp"

#include "codegen/loop_kernel.hpp"
#include "trace/ops.hpp"
#include "trace/ops/control_flow.hpp"
#include "trace/ops/regions.hpp"
#include "trace/passes.hpp"

#include <algorithm>

namespace fluxion::codegen {
namespace {

constexpr std::size_t alignment = 64;

std::size_t reserve(std::size_t& bytes, std::size_t more) {
  const std::size_t at = bytes;
  bytes += (more + alignment - 1) / alignment * alignment;
  return at;
}

/// How many results of the repeated program are carries.
std::size_t carry_count(const Op& op) {
  if (const auto* scan = op.as<ops::Scan>()) return static_cast<std::size_t>(scan->carries);
  if (const auto* loop = op.as<ops::While>()) return static_cast<std::size_t>(loop->carries());
  return 0;
}

/// The inputs of the repeated program that are worth preparing for: those of a long loop.
Constants constants_of(const Op& op) {
  constexpr std::int64_t few = 8;
  if (const auto* scan = op.as<ops::Scan>(); scan && scan->length >= few)
    return {1, static_cast<std::int32_t>(scan->constants)};
  if (const auto* loop = op.as<ops::While>())
    return {0, static_cast<std::int32_t>(loop->body_constants)};
  return {};
}

}  // namespace

bool is_region(const Op& op) {
  return op.as<ops::Scan>() || op.as<ops::While>() || op.as<ops::Cond>();
}

std::size_t Region::first_carry() const {
  if (const auto* scan = op.as<ops::Scan>()) return static_cast<std::size_t>(1 + scan->constants);
  const auto* loop = op.as<ops::While>();
  return loop ? static_cast<std::size_t>(loop->body_constants) : 0;
}

double Region::expected_steps() const {
  if (const auto* scan = op.as<ops::Scan>()) return static_cast<double>(scan->length);
  return op.as<ops::While>() ? 1000 : 1;
}

std::size_t Region::first_initial() const {
  if (const auto* scan = op.as<ops::Scan>())
    return static_cast<std::size_t>(scan->count_operands() + scan->constants);
  const auto* loop = op.as<ops::While>();
  return loop ? static_cast<std::size_t>(loop->condition_constants + loop->body_constants) : 0;
}

std::size_t Region::operand_count() const {
  if (const auto* scan = op.as<ops::Scan>())
    return static_cast<std::size_t>(scan->count_operands() + scan->body->input_count() - 1);
  if (const auto* loop = op.as<ops::While>())
    return static_cast<std::size_t>(loop->condition_constants + loop->body->input_count());
  return static_cast<std::size_t>(1 + op.as<ops::Cond>()->branches[0]->input_count());
}

namespace {

/// Optimises and schedules the programs of an operation.
std::shared_ptr<const Region> plan_region(const Op& op, Libraries libraries) {
  auto region = std::make_shared<Region>();
  region->op = op;
  const std::size_t last = op.regions().size() - 1;
  for (std::size_t k = 0; k <= last; ++k)
    region->programs.push_back(
        std::make_shared<const Schedule>(schedule(optimize(GraphRef(op.regions()[k])),
                                                  libraries,
                                                  k == last ? constants_of(op) : Constants())));
  const Schedule& repeated = *region->programs.back();
  if (op.as<ops::Cond>()) {  // one of them runs
    std::size_t most = 0, alive = 0;
    for (const auto& program : region->programs) {
      most = std::max(most, program->arena_bytes);
      alive = std::max(alive, program->alive_bytes);
    }
    region->arenas.assign(region->programs.size(), reserve(region->bytes, most));
    region->spare = most - alive;
  } else {
    for (const auto& program : region->programs) {
      region->arenas.push_back(reserve(region->bytes, program->arena_bytes));
      region->spare += program->arena_bytes - program->alive_bytes;
    }
  }
  for (std::size_t k = 0; k < carry_count(op); ++k) {
    const Result& result = repeated.results[k];
    const auto own = static_cast<std::int32_t>(region->first_carry() + k);
    const bool stays = result.from == Result::From::argument && result.index == own;
    region->in_place.push_back(stays ||
                               (result.from == Result::From::computed && result.donor == own));
    region->places.push_back(region->in_place.back() ? 0 : reserve(region->bytes, result.bytes));
  }
  region->flag = reserve(region->bytes, 1);
  return region;
}

/// A while loop whose condition has lanes as one with a condition of shape (), which keeps the
/// carries of the lanes that have stopped. Its operands: the condition's constants come twice.
Op without_lanes(const Op& op) {
  const auto& loop = *op.as<ops::While>();
  if (loop.lanes().empty()) return op;
  std::vector<int> axes;
  for (std::size_t k = 0; k < loop.lanes().size(); ++k) axes.push_back(static_cast<int>(k));
  const Site site = rule_site();
  const auto nc = static_cast<std::size_t>(loop.condition_constants),
             nb = static_cast<std::size_t>(loop.body_constants);
  ops::While plain = loop;
  plain.condition = ops::record_graph(loop.condition->input_types(), [&](Arrays in) {
    return ArrayList{
        ops::reduce(ops::Reduction::any, inline_graph(*loop.condition, in)[0], axes, site)};
  });
  const TypeList flag_in = loop.condition->input_types(), step_in = loop.body->input_types();
  Types types(flag_in.begin(), flag_in.begin() + loop.condition_constants);
  types.insert(types.end(), step_in.begin(), step_in.end());
  plain.body = ops::record_graph(types, [&](Arrays in) {
    const Arrays carries = in.subspan(nc + nb);
    ArrayList flag_operands(in.begin(), in.begin() + loop.condition_constants);
    flag_operands.insert(flag_operands.end(), carries.begin(), carries.end());
    const Array alive = inline_graph(*loop.condition, flag_operands)[0];
    ArrayList next = inline_graph(*loop.body, in.subspan(nc));
    for (std::size_t k = 0; k < next.size(); ++k)
      next[k] = ops::select(ops::broadcast_in_dim(alive, type_of(next[k]).shape, axes, site),
                            next[k],
                            carries[k],
                            site);
    return next;
  });
  plain.body_constants += loop.condition_constants;
  return plain;
}

}  // namespace

void place_region(const Graph& graph, Cut& cut, Libraries libraries) {
  if (auto loop = loop_kernel(graph, cut.group.operations[0])) {
    cut.kind = Cut::Kind::kernel;
    cut.group = std::move(loop->group);
    cut.kernel = std::make_shared<const kernel::Kernel>(std::move(loop->kernel));
    return;
  }
  const Operation& o = graph.operations()[static_cast<std::size_t>(cut.group.operations[0])];
  std::vector<ValueId> operands = o.operands;
  Op op = o.op;
  if (const auto* loop = op.as<ops::While>(); loop && !loop->lanes().empty()) {
    operands.insert(
        operands.begin(), o.operands.begin(), o.operands.begin() + loop->condition_constants);
    op = without_lanes(op);
  }
  cut.region = plan_region(op, libraries);
  const Region& region = *cut.region;
  cut.group.inputs.clear();
  for (std::size_t k = 0; k < operands.size(); ++k) {
    const std::size_t carry = k - region.first_initial();
    if (k >= region.first_initial() && carry < region.in_place.size() && region.in_place[carry])
      cut.group.in_place.push_back({operands[k], o.first_result + static_cast<ValueId>(carry)});
    else
      cut.group.inputs.push_back(operands[k]);
  }
  cut.group.own_place.assign(cut.group.inputs.size(), false);
}

Work work_of(const Region& region) {
  Work most;
  for (const auto& program : region.programs) {
    const Work work = work_of(*program);
    most.flops = std::max(most.flops, work.flops);
    most.read = std::max(most.read, work.read);
    most.written = std::max(most.written, work.written);
    most.transcendentals = std::max(most.transcendentals, work.transcendentals);
  }
  const auto* scan = region.op.as<ops::Scan>();
  const double times = scan ? static_cast<double>(scan->length) : 1;
  return {
      most.flops * times, most.read * times, most.written * times, most.transcendentals * times};
}

std::string to_string(const Region& region) {
  std::string text;
  for (const auto& program : region.programs) {
    const std::string steps = to_string(*program);
    text += "  {\n";
    for (std::size_t at = 0; at < steps.size();) {
      const std::size_t end = steps.find('\n', at);
      text += "    " + steps.substr(at, end - at + 1);
      at = end + 1;
    }
    text += "  }\n";
  }
  return text;
}

}  // namespace fluxion::codegen
