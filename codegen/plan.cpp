// Best fit, in the best of a few orders.
#include "codegen/plan.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace fluxion::codegen {
namespace {

struct Placed {
  std::size_t begin, end;
  std::int32_t first, last;
};

/// The start of the smallest gap of at least `bytes` between values that live at the same time.
std::size_t best_gap(const std::vector<Placed>& placed, const Lifetime& value, std::size_t bytes) {
  std::size_t end = 0, best = 0, best_size = SIZE_MAX;
  for (const Placed& other : placed) {  // by begin
    if (other.last < value.first || value.last < other.first) continue;
    if (other.begin >= end + bytes && other.begin - end < best_size) {
      best = end;
      best_size = other.begin - end;
    }
    end = std::max(end, other.end);
  }
  return best_size == SIZE_MAX ? end : best;
}

std::size_t in_plan(std::size_t bytes) {
  return (bytes + plan_alignment - 1) / plan_alignment * plan_alignment;
}

/// Each in its turn in the smallest gap that holds it.
MemoryPlan placed_in(const std::vector<std::size_t>& order, std::span<const Lifetime> values) {
  MemoryPlan plan;
  plan.offsets.resize(values.size());
  std::vector<Placed> placed;
  for (std::size_t i : order) {
    const std::size_t bytes = in_plan(values[i].bytes);
    const std::size_t begin = best_gap(placed, values[i], bytes);
    plan.offsets[i] = begin;
    if (bytes == 0) continue;
    plan.bytes = std::max(plan.bytes, begin + bytes);
    const Placed here{begin, begin + bytes, values[i].first, values[i].last};
    placed.insert(
        std::upper_bound(placed.begin(),
                         placed.end(),
                         here,
                         [](const Placed& a, const Placed& b) { return a.begin < b.begin; }),
        here);
  }
  return plan;
}

}  // namespace

std::size_t most_alive(std::span<const Lifetime> values) {
  std::map<std::int32_t, std::ptrdiff_t> changes;
  for (const Lifetime& value : values) {
    const auto bytes = static_cast<std::ptrdiff_t>(in_plan(value.bytes));
    changes[value.first] += bytes;
    changes[value.last + 1] -= bytes;
  }
  std::ptrdiff_t now = 0, most = 0;
  for (const auto& [step, change] : changes) most = std::max(most, now += change);
  return static_cast<std::size_t>(most);
}

MemoryPlan plan_memory(std::span<const Lifetime> values) {
  // Each order is good for some programs: large values are hard to place late, long-lived ones
  // split what is left.
  using Measure = double (*)(const Lifetime&);
  static constexpr Measure measures[] = {
      [](const Lifetime& v) { return static_cast<double>(v.bytes); },
      [](const Lifetime& v) { return static_cast<double>(v.bytes) * (1.0 + v.last - v.first); },
      [](const Lifetime& v) { return static_cast<double>(v.last - v.first); },
      [](const Lifetime& v) { return -static_cast<double>(v.first); }};
  const std::size_t least = most_alive(values);
  MemoryPlan best;
  std::vector<std::size_t> order(values.size());
  for (const Measure measure : measures) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const double x = measure(values[a]), y = measure(values[b]);
      return x != y ? x > y : values[a].bytes > values[b].bytes;
    });
    MemoryPlan plan = placed_in(order, values);
    if (best.offsets.size() != values.size() || plan.bytes < best.bytes) best = std::move(plan);
    if (best.bytes <= least) break;
  }
  return best;
}

}  // namespace fluxion::codegen
