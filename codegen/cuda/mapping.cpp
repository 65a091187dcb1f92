// The choice of threads, groups and blocks of a kernel on a GPU.
#include "codegen/cuda/mapping.hpp"

#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <numeric>

namespace fluxion::codegen {

namespace {

using kernel::Access;
using kernel::Affine;
using kernel::Block;
using kernel::Combiner;
using kernel::Id;
using kernel::Instruction;
using kernel::Item;
using kernel::Kernel;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Promise;
using kernel::Role;
using kernel::Tree;
using kernel::Verb;

std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }

/// Fewer neighbours than this are not worth the threads of a warp.
constexpr std::int64_t least_shared = 16;
constexpr std::int64_t most_local_bytes = 1024;
/// What a while loop may be expected to run.
constexpr double while_iterations = 32;

std::int64_t total(const Kernel& kernel, const std::vector<std::int32_t>& variables) {
  std::int64_t product = 1;
  for (std::int32_t v : variables) product *= kernel.variables[at(v)].extent;
  return product;
}

/// How many threads could share a loop: elements of a parallel loop, accumulators of a tree.
std::int64_t shareable(const Kernel& kernel, const Loop& loop) {
  if (loop.kind == LoopKind::parallel) return total(kernel, loop.variables);
  if (loop.kind == LoopKind::reduce && loop.tree == Tree::lanes)
    return kernel.variables[at(loop.variables.back())].extent;
  return 0;
}

template <class F> void walk(const Kernel& kernel, const Block& block, const F& f) {
  for (const Item& item : block) {
    if (!item.is_loop) {
      f(item.index);
      continue;
    }
    walk(kernel, kernel.loops[at(item.index)].condition_block, f);
    walk(kernel, kernel.loops[at(item.index)].body, f);
  }
}

class Chooser {
 public:
  Chooser(const Kernel& kernel, const CudaTarget& target) : kernel_(kernel), target_(target) {}

  CudaPhase phase(std::int32_t number) {
    const Loop& band = loop(number);
    CudaPhase p;
    p.loop = number;
    p.across = band.variables;
    const std::int64_t rows = uses_scratch(band.body) ? scratch_row_bytes(kernel_) : 0;
    if (updates_may_meet(band.body)) {
      p.atomics = all_commute(band.body);
      if (!p.atomics) keep_apart(band, p);
    } else {
      choose_group(band.body, rows, p);
    }
    if (p.work == CudaWork::thread) choose_elements(band, p);
    p.units = (total(kernel_, p.across) + p.elements - 1) / p.elements;
    if (p.work != CudaWork::group && p.units < p.threads)
      p.threads = static_cast<int>((p.units + 31) / 32 * 32);
    const std::int64_t a_block = p.threads / p.group;
    p.blocks = std::min<std::int64_t>((p.units + a_block - 1) / a_block,
                                      target_.processors * target_.blocks_per_processor);
    place_scratch(rows, p);
    return p;
  }

 private:
  const Loop& loop(std::int32_t number) const { return kernel_.loops[at(number)]; }
  std::int64_t extent(std::int32_t v) const { return kernel_.variables[at(v)].extent; }

  template <class F> void updates(const Block& block, const F& f) const {
    walk(kernel_, block, [&](Id id) {
      const Instruction& i = kernel_.instructions[at(id)];
      if (i.verb == Verb::update) f(i);
    });
  }
  bool uses_scratch(const Block& block) const {
    bool found = false;
    walk(kernel_, block, [&](Id id) {
      const Instruction& i = kernel_.instructions[at(id)];
      if (i.verb != Verb::load && i.verb != Verb::store) return;
      const std::int32_t buffer = kernel_.accesses[i.bits].buffer;
      found = found || kernel_.buffers[at(buffer)].role == Role::scratch;
    });
    return found;
  }
  bool updates_may_meet(const Block& block) const {
    bool meet = false;
    updates(block, [&](const Instruction& i) {
      meet = meet || static_cast<Promise>(i.c) != Promise::unique;
    });
    return meet;
  }
  bool all_commute(const Block& block) const {
    bool all = true;
    Combiner first = Combiner::set;
    updates(block, [&](const Instruction& i) {
      const auto combiner = static_cast<Combiner>(i.b);
      if (first == Combiner::set) first = combiner;
      all = all && combiner == first && commutes(combiner, i.type);
    });
    return all;
  }

  /// Variables of the band whose different values lead to different elements, whatever the others
  /// and the gathered indices are: their reach is less than every step of the rest.
  std::vector<std::int32_t> apart(const Loop& band, const Affine& offset) const {
    std::vector<Affine::Term> steps;
    for (const Affine::Term& term : offset.variables) {
      if (std::count(band.variables.begin(), band.variables.end(), term.of)) steps.push_back(term);
    }
    std::sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
      return std::abs(a.scale) < std::abs(b.scale);
    });
    for (; !steps.empty(); steps.pop_back()) {
      std::int64_t reach = 0, step = 0;
      bool different = true;
      for (const Affine::Term& term : steps) {
        different = different && std::abs(term.scale) > reach;
        reach += std::abs(term.scale) * (extent(term.of) - 1);
      }
      for (const auto* terms : {&offset.variables, &offset.opaque}) {
        for (const Affine::Term& term : *terms) {
          if (terms == &offset.opaque || std::find(steps.begin(), steps.end(), term) == steps.end())
            step = std::gcd(step, term.scale);
        }
      }
      if (different && (step == 0 || step > reach)) break;
    }
    std::vector<std::int32_t> variables;
    for (const Affine::Term& term : steps) variables.push_back(term.of);
    return variables;
  }

  void keep_apart(const Loop& band, CudaPhase& p) const {
    p.work = CudaWork::ordered;
    std::vector<std::int32_t> common = band.variables;
    int count = 0;
    updates(band.body, [&](const Instruction& i) {
      const std::vector<std::int32_t> mine = apart(band, kernel_.accesses[i.bits].offset);
      std::erase_if(common, [&](auto v) { return !std::count(mine.begin(), mine.end(), v); });
      ++count;
    });
    if (count != 1) common.clear();  // different updates may meet each other
    p.across.clear();
    for (std::int32_t v : band.variables) {
      const bool thread = std::count(common.begin(), common.end(), v) != 0;
      (thread ? p.across : p.inside).push_back(v);
    }
  }

  /// Work that the threads of a group would share, and work that each would repeat.
  void weigh(const Block& block, double times, double& shared, double& repeated) const {
    for (const Item& item : block) {
      if (!item.is_loop) {
        const Verb verb = kernel_.instructions[at(item.index)].verb;
        if (verb != Verb::constant && verb != Verb::loop_index) repeated += times;
        continue;
      }
      const Loop& inner = loop(item.index);
      const bool split = shareable(kernel_, inner) >= least_shared;
      double all = 0, none = 0;
      const double trips = inner.kind == LoopKind::repeat_while
                               ? while_iterations
                               : static_cast<double>(total(kernel_, inner.variables));
      weigh(inner.condition_block, times * trips, all, none);
      weigh(inner.body, times * trips, all, none);
      shared += all + (split ? none : 0);
      repeated += split ? 0 : none;
    }
  }
  std::int64_t widest(const Block& block, bool parallel) const {
    std::int64_t most = 0;
    for (const Item& item : block) {
      if (!item.is_loop) continue;
      const Loop& inner = loop(item.index);
      if (!parallel || inner.kind == LoopKind::parallel)
        most = std::max(most, shareable(kernel_, inner));
      most = std::max(most, widest(inner.body, parallel));
    }
    return most;
  }
  void choose_group(const Block& body, std::int64_t row, CudaPhase& p) const {
    double shared = 0, repeated = 0;
    weigh(body, 1, shared, repeated);
    if (shared < 8 * repeated && row <= most_local_bytes) return;
    const std::int64_t wide = widest(body, false);
    if (wide < least_shared) return;
    p.work = CudaWork::group;
    p.group = wide <= 1024 ? 32 : widest(body, true) > 1024 ? 256 : 64;
    p.threads = p.group == 32 ? 128 : p.group;
  }

  void choose_elements(const Loop& band, CudaPhase& p) const {
    if (band.variables.empty()) return;
    std::int64_t narrowest = 16;
    for (const Item& item : band.body) {
      if (item.is_loop) return;
      const Instruction& i = kernel_.instructions[at(item.index)];
      if (i.verb == Verb::update) return;
      if (i.verb == Verb::load || i.verb == Verb::store)
        narrowest = std::min<std::int64_t>(narrowest, kernel::bytes_of(i.type));
    }
    const std::int64_t n = extent(band.variables.back());
    std::int64_t elements = 16 / narrowest;
    // Rows of a band with several variables do not end in the middle of a thread's elements.
    while (elements > 1 && (band.variables.size() > 1 ? n % elements != 0 : n < elements))
      elements /= 2;
    // A small array is better spread over many threads than moved in whole words.
    const std::int64_t all = total(kernel_, band.variables);
    while (elements > 1 && all / elements < 128 * target_.processors / 4) elements /= 2;
    p.elements = static_cast<int>(elements);
  }

  /// Bytes of shared memory that a block's reductions exchange accumulators through.
  std::int64_t exchange_bytes(const Block& block) const {
    std::int64_t most = 0;
    for (const Item& item : block) {
      if (!item.is_loop) continue;
      const Loop& inner = loop(item.index);
      const auto carries = static_cast<std::int64_t>(inner.carries.size());
      if (inner.kind == LoopKind::reduce && inner.tree == Tree::lanes)
        most = std::max(most, carries * 65 * 8);
      most = std::max(most, exchange_bytes(inner.body));
    }
    return (most + 15) / 16 * 16;
  }
  void place_scratch(std::int64_t row, CudaPhase& p) const {
    const std::int64_t exchange = p.group > 32 ? exchange_bytes(loop(p.loop).body) : 0;
    p.shared_bytes = exchange;
    if (row == 0) return;
    const std::int64_t groups = p.threads / p.group;
    const std::int64_t most = groups > 1 ? target_.shared_bytes / 4 : target_.shared_bytes;
    if (p.work != CudaWork::group) {
      p.scratch = row <= most_local_bytes ? CudaScratch::local : CudaScratch::global;
    } else if (exchange + groups * row <= most) {
      p.scratch = CudaScratch::shared;
      p.shared_bytes += groups * row;
    } else {
      p.scratch = CudaScratch::global;
    }
    if (p.scratch == CudaScratch::global) p.scratch_bytes = p.blocks * groups * row;
  }

  const Kernel& kernel_;
  CudaTarget target_;
};

}  // namespace

std::int64_t scratch_row_bytes(const Kernel& kernel) {
  std::int64_t sum = 0;
  for (const kernel::BufferDecl& buffer : kernel.buffers) {
    if (buffer.role == Role::scratch)
      sum += (buffer.count * kernel::bytes_of(buffer.dtype) + 15) / 16 * 16;
  }
  return sum;
}

bool shared_inside(const Kernel& kernel, const Block& block) {
  for (const Item& item : block) {
    if (!item.is_loop) continue;
    const Loop& inner = kernel.loops[at(item.index)];
    if (shareable(kernel, inner) >= least_shared || shared_inside(kernel, inner.body)) return true;
  }
  return false;
}

bool commutes(Combiner combiner, DType type) {
  if (kernel::bytes_of(type) < 4 || combiner == Combiner::set) return false;
  const bool rounds = combiner == Combiner::add || combiner == Combiner::mul;
  return !rounds || !kernel::is_float(type);
}

CudaMapping choose_cuda_mapping(const Kernel& kernel, const CudaTarget& target) {
  CudaMapping mapping;
  Chooser chooser(kernel, target);
  for (const Item& item : kernel.top) {
    if (item.is_loop) mapping.phases.push_back(chooser.phase(item.index));
  }
  return mapping;
}

std::string to_string(const CudaMapping& mapping, const Kernel&) {
  static constexpr const char* works[] = {"thread", "group", "ordered"};
  static constexpr const char* places[] = {"none", "local", "shared", "global"};
  std::string text;
  for (const CudaPhase& p : mapping.phases) {
    text += fmt::format("phase of loop {}: {} units, {} x {} threads, {} of {}, {} elements",
                        p.loop,
                        p.units,
                        p.blocks,
                        p.threads,
                        works[static_cast<int>(p.work)],
                        p.group,
                        p.elements);
    for (std::int32_t v : p.inside) text += fmt::format("; v{} in order", v);
    if (p.scratch != CudaScratch::none)
      text += fmt::format("; scratch {}", places[static_cast<int>(p.scratch)]);
    if (p.atomics) text += "; atomics";
    text += fmt::format("; {} + {} bytes\n", p.shared_bytes, p.scratch_bytes);
  }
  return text;
}

}  // namespace fluxion::codegen
