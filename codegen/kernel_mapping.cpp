// The choice of lanes, widths, chunks and grains of a kernel on a CPU.
#include "codegen/kernel_mapping.hpp"

#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <set>

namespace fluxion::codegen {

namespace {

using kernel::Access;
using kernel::Affine;
using kernel::Block;
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

class Chooser {
 public:
  Chooser(const Kernel& kernel, const VectorTarget& target) : kernel_(kernel), target_(target) {
    mapping_.loops.resize(kernel.loops.size());
  }

  Mapping run() {
    for (const Item& item : kernel_.top) {
      if (item.is_loop) phase(item.index);
    }
    return std::move(mapping_);
  }

 private:
  const Loop& loop(std::int32_t number) const { return kernel_.loops[at(number)]; }
  std::int64_t extent(std::int32_t variable) const {
    return kernel_.variables[at(variable)].extent;
  }
  std::int64_t total(const Loop& loop) const {
    std::int64_t product = 1;
    for (std::int32_t v : loop.variables) product *= extent(v);
    return product;
  }

  /// Calls f(instruction, weight) for everything inside, weight counting iterations of inner loops.
  template <class F> void walk(const Block& block, double weight, const F& f) const {
    for (const Item& item : block) {
      if (!item.is_loop) {
        f(item.index, weight);
        continue;
      }
      const Loop& inner = loop(item.index);
      double times = weight * static_cast<double>(total(inner));
      walk(inner.condition_block, times, f);
      walk(inner.body, times, f);
    }
  }
  template <class F> void walk_loops(const Block& block, const F& f) const {
    for (const Item& item : block) {
      if (!item.is_loop) continue;
      f(item.index);
      walk_loops(loop(item.index).body, f);
    }
  }

  double work(const Block& block) const {
    double sum = 0;
    walk(block, 1, [&](Id id, double weight) {
      Verb verb = kernel_.instructions[at(id)].verb;
      bool slow = verb == Verb::div || verb == Verb::rem || verb == Verb::sqrt;
      if (!free_of_cost(verb)) sum += slow ? 4 * weight : weight;
    });
    return std::max(sum, 1.0);
  }
  int body_size(const Block& block) const {
    int count = 0;
    walk(block, 1, [&](Id id, double) {
      count += !free_of_cost(kernel_.instructions[at(id)].verb);
    });
    walk_loops(block, [&](std::int32_t) { count += 16; });
    return count;
  }

  /// The greatest extent that lanes could have in a loop inside.
  std::int64_t inner_lanes(const Block& block) const {
    std::int64_t most = 0;
    walk_loops(block, [&](std::int32_t number) {
      const Loop& inner = loop(number);
      if (inner.kind == LoopKind::parallel) most = std::max(most, total(inner));
      if (inner.kind == LoopKind::reduce && inner.tree == Tree::lanes) {
        most = std::max(most, extent(inner.variables.back()));
      }
    });
    return most;
  }

  /// Which instructions differ from lane to lane, as far as addresses are concerned.
  std::vector<bool> varying(const Block& block, std::int32_t variable) const {
    std::vector<bool> differs(kernel_.instructions.size());
    bool changed = true;
    auto mark = [&](Id id, bool value) {
      if (id >= 0 && value && !differs[at(id)]) differs[at(id)] = changed = true;
    };
    while (changed) {
      changed = false;
      walk(block, 1, [&](Id id, double) {
        const Instruction& i = kernel_.instructions[at(id)];
        if (i.verb == Verb::loop_index) mark(id, static_cast<std::int32_t>(i.bits) == variable);
        const Id operands[] = {i.a, i.b, i.c};
        for (int k = 0; k < kernel::operand_count(i.verb); ++k) mark(id, differs[at(operands[k])]);
        if (i.verb == Verb::load) {
          const Affine& offset = kernel_.accesses[i.bits].offset;
          for (const Affine::Term& term : offset.variables) mark(id, term.of == variable);
          for (const Affine::Term& term : offset.opaque) mark(id, differs[at(term.of)]);
        }
        if (i.verb == Verb::carry || i.verb == Verb::result) {
          const kernel::Carry& carry = loop(i.a).carries[at(i.b)];
          mark(id, differs[at(carry.initial)] || differs[at(carry.element)]);
        }
      });
    }
    return differs;
  }

  /// What inner loops in order read and write in pieces of rows when `variable` runs over the
  /// lanes.
  std::set<Id> in_rows(const Loop& band, std::int32_t variable) const {
    std::set<Id> found;
    walk_loops(band.body, [&](std::int32_t inner) {
      for (const RowAccess& row : row_accesses(kernel_, inner, variable))
        found.insert(row.instruction);
    });
    return found;
  }

  /// Relative cost of an element when `variable` runs over the lanes; negative where it cannot.
  double cost(const Loop& band, std::int32_t variable) const {
    std::vector<bool> differs = varying(band.body, variable);
    const std::set<Id> rows = in_rows(band, variable);
    double sum = 0.5 * work(band.body);
    bool possible = true;
    walk(band.body, 1, [&](Id id, double weight) {
      const Instruction& i = kernel_.instructions[at(id)];
      bool reads = i.verb == Verb::load;
      if (!reads && i.verb != Verb::store && i.verb != Verb::update) return;
      const Access& access = kernel_.accesses[i.bits];
      if (kernel_.buffers[at(access.buffer)].role == Role::scratch) return void(sum += weight);
      bool opaque = std::any_of(access.offset.opaque.begin(),
                                access.offset.opaque.end(),
                                [&](const Affine::Term& term) { return differs[at(term.of)]; });
      std::int64_t step = stride(access.offset, variable);
      if (i.verb == Verb::update && static_cast<Promise>(i.c) != Promise::unique &&
          (opaque || step == 0)) {
        possible = false;
      }
      bool contiguous = !opaque && (step == 1 || step == -1);
      if (rows.contains(id)) return void(sum += 2 * weight);
      sum += weight * (contiguous ? 1 : !opaque && step == 0 && reads ? 0.25 : reads ? 8 : 16);
    });
    if (!possible) return -1;
    std::int64_t e = extent(variable);
    std::int64_t width = std::min<std::int64_t>(16, e);
    // Few lanes are as dear as many.
    return sum * (16.0 / static_cast<double>(width)) *
           static_cast<double>((e + width - 1) / width * width) / static_cast<double>(e);
  }

  /// Lanes for one vector register of the types that the body computes in.
  int natural_width(const Block& block) const {
    int most = 1;
    bool wide = true;
    walk(block, 1, [&](Id id, double) {
      const Instruction& i = kernel_.instructions[at(id)];
      if (i.verb == Verb::constant || i.verb == Verb::loop_index) return;
      int bytes = kernel::bytes_of(i.type);
      most = std::max(most, bytes);
      wide = wide && bytes == 8;
    });
    if (wide) return std::max(target_.vector_bytes / 8, 4);
    return std::max(target_.vector_bytes / std::min(most, 4), 8);
  }
  bool has_long_reduction(const Block& block) const {
    bool found = false;
    walk_loops(block, [&](std::int32_t n) {
      found = found || (loop(n).kind == LoopKind::reduce && total(loop(n)) > 16);
    });
    return found;
  }
  /// Whether a long loop in order goes from line to line of memory that the lanes lie along.
  bool goes_down_lines(const Loop& band, std::int32_t variable) const {
    bool goes = false;
    walk_loops(band.body, [&](std::int32_t n) {
      goes = goes || (loop(n).kind == LoopKind::serial && total(loop(n)) > 16);
    });
    walk(band.body, 1, [&](Id id, double) {
      const Instruction& i = kernel_.instructions[at(id)];
      if (i.verb != Verb::load && i.verb != Verb::store && i.verb != Verb::update) return;
      const Affine& offset = kernel_.accesses[i.bits].offset;
      const std::int64_t step = stride(offset, variable);
      goes = goes && offset.opaque.empty() && (step == 1 || (step == 0 && i.verb == Verb::load));
    });
    return goes;
  }
  int width_for(const Loop& band, std::int32_t variable) const {
    const int natural = natural_width(band.body);
    int width = natural;
    // Several vectors in flight hide the latency of a chain of additions.
    const bool down = goes_down_lines(band, variable);
    if ((has_long_reduction(band.body) || down) && body_size(band.body) <= 32)
      width *= body_size(band.body) <= 20 ? 8 : 4;
    // Threads share the lines by widths.
    while (down && width > natural && total(band) < 8 * width) width /= 2;
    while (width > 1 && width / 2 >= extent(variable)) width /= 2;
    return width;
  }

  std::int64_t scratch_bytes() const {
    std::int64_t sum = 0;
    for (const kernel::BufferDecl& buffer : kernel_.buffers) {
      if (buffer.role == Role::scratch) sum += buffer.count * kernel::bytes_of(buffer.dtype);
    }
    return sum;
  }

  bool vectorise(const Loop& band) const {
    if (band.variables.empty()) return false;
    std::int64_t inside = inner_lanes(band.body);
    if (inside == 0) return true;
    bool outermost_small = inside < 8 && total(band) >= 16;
    return outermost_small && scratch_bytes() * 16 <= 16 * 1024;
  }

  std::int32_t best_variable(const Loop& band) const {
    std::int32_t best = -1;
    double least = 0;
    for (std::int32_t variable : band.variables) {
      double c = cost(band, variable);
      if (c >= 0 && (best < 0 || c <= least)) {
        best = variable;
        least = c;
      }
    }
    return best;
  }

  /// Whether lanes along `variable` would update far-apart elements, which loops inside could do in
  /// order, each with its own lanes.
  bool scatters(const Loop& band, std::int32_t variable) const {
    bool lists = true, far = false;
    for (const Item& item : band.body)
      lists = lists && (!item.is_loop || lists_updates(kernel_, item.index));
    walk(band.body, 1, [&](Id id, double) {
      const Instruction& i = kernel_.instructions[at(id)];
      if (i.verb != Verb::update) return;
      const std::int64_t step = stride(kernel_.accesses[i.bits].offset, variable);
      far = far || (step != 1 && step != -1);
    });
    return lists && far;
  }

  // Tiles: several rows of a product at once, so that they share what they read.

  /// The only loop in a band's body, if that is a reduction in registers that nothing interrupts;
  /// -1 otherwise.
  std::int32_t only_reduction(const Loop& band) const {
    std::int32_t found = -1;
    for (const Item& item : band.body) {
      if (!item.is_loop) continue;
      const Loop& l = loop(item.index);
      const bool sum = l.kind == LoopKind::reduce && l.trip_count < 0 && l.carries.size() == 1;
      if (found >= 0 || !sum || body_size(l.body) > 8) return -1;
      found = item.index;
    }
    if (found < 0) return -1;
    bool alone = scratch_bytes() == 0;
    walk_loops(loop(found).body, [&](std::int32_t) { alone = false; });
    walk(band.body, 1, [&](Id id, double) {
      const Instruction& i = kernel_.instructions[at(id)];
      alone = alone && i.verb != Verb::update &&
              (i.verb != Verb::load ||
               kernel_.buffers[at(kernel_.accesses[i.bits].buffer)].role == Role::input);
    });
    return alone ? found : -1;
  }

  /// The outer variable whose values read most of the reduction's operands alike, the slowest of
  /// several: what differs along the faster ones comes from nearer memory.
  std::int32_t shared_variable(const Loop& band, const Loop& reduction, std::int32_t lanes) const {
    std::int32_t best = -1;
    int most = 0;
    for (std::int32_t v : band.variables) {
      if (v == lanes || extent(v) < 2) continue;
      const std::vector<bool> differs = varying(band.body, v);
      int shared = 0, own = 0;
      walk(reduction.body, 1, [&](Id id, double) {
        if (kernel_.instructions[at(id)].verb == Verb::load) ++(differs[at(id)] ? own : shared);
      });
      if (own > 0 && shared > most) {
        most = shared;
        best = v;
      }
    }
    return best;
  }

  /// Accumulators that fit in the registers beside what is read.
  std::int64_t accumulators() const { return target_.masks ? 24 : 12; }

  void plan_tile(std::int32_t number, PhaseMapping& p) {
    const Loop& band = loop(number);
    const std::int32_t inner = only_reduction(band);
    if (inner < 0) return;
    LoopMapping &outer = mapping_.loops[at(number)], &own = mapping_.loops[at(inner)];
    const bool across = outer.variable >= 0 && loop(inner).tree == Tree::sequential;
    const bool along = outer.variable < 0 && own.variable >= 0 && !own.rotate;
    if (!across && !along) return;
    const std::int32_t v = shared_variable(band, loop(inner), outer.variable);
    if (v < 0) return;
    const int natural = natural_width(across ? band.body : loop(inner).body);
    int width = along ? own.width : natural * (target_.masks ? 4 : 2);
    if (across)
      while (width > 1 && width / 2 >= extent(outer.variable)) width /= 2;
    const std::int64_t most =
        std::min<std::int64_t>(8, accumulators() / std::max(1, width / natural));
    std::int64_t tile = 1;
    while (2 * tile <= most && 2 * tile <= extent(v)) tile *= 2;
    if (tile == 1) return;
    if (across) outer.width = width;
    p.tiled = v;
    p.tile = tile;
  }

  void plan(std::int32_t number) {
    const Loop& l = loop(number);
    LoopMapping& m = mapping_.loops[at(number)];
    if (l.kind == LoopKind::serial && lists_updates(kernel_, number)) {
      m.variable = l.variables.back();
      m.width = natural_width(l.body);
      return;
    }
    if (l.kind == LoopKind::parallel && vectorise(l)) {
      m.variable = best_variable(l);
      if (m.variable >= 0 && scatters(l, m.variable)) m.variable = -1;
      if (m.variable >= 0) {
        m.width = width_for(l, m.variable);
        // Two hide that of a long chain of other operations; for more there are no registers.
        const std::int64_t e = extent(m.variable), two = 2 * m.width;
        if (m.width == natural_width(l.body) && (e % two == 0 || e >= 16 * two) &&
            waits_for_itself(kernel_, l.body)) {
          m.in_flight = 2;
          m.width *= m.in_flight;
        }
        walk_loops(l.body, [&](std::int32_t inner) {
          mapping_.loops[at(inner)].pieces = !row_accesses(kernel_, inner, m.variable).empty();
        });
        return;
      }
    }
    if (l.kind == LoopKind::reduce && l.tree == Tree::lanes && inner_lanes(l.body) < 8) {
      m.variable = l.variables.back();
      std::int64_t e = extent(m.variable);
      m.width = 64;
      while (m.width > 1 && m.width / 2 >= e) m.width /= 2;
      m.rotate = m.width > 16 && body_size(l.body) > 8;
      if (m.rotate) m.width = 16;
      return;
    }
    for (const Item& item : l.body) {
      if (item.is_loop) plan(item.index);
    }
  }

  void plan_unrolling(const Block& block) {
    walk_loops(block, [&](std::int32_t number) {
      const Loop& l = loop(number);
      bool ordered =
          l.kind == LoopKind::serial || (l.kind == LoopKind::reduce && l.tree == Tree::sequential);
      if (!ordered || l.trip_count >= 0 || total(l) > 16) return;
      mapping_.loops[at(number)].unroll = total(l) * body_size(l.body) <= 96;
    });
  }

  bool updates_may_meet(const Block& block) const {
    bool meet = false;
    walk(block, 1, [&](Id id, double) {
      const Instruction& i = kernel_.instructions[at(id)];
      meet = meet || (i.verb == Verb::update && static_cast<Promise>(i.c) != Promise::unique);
    });
    return meet;
  }

  /// The outer variable along which a strided read is contiguous, if there is one.
  std::int32_t transposed_variable(const Loop& band, std::int32_t lanes) const {
    std::int32_t found = -1;
    walk(band.body, 1, [&](Id id, double) {
      const Instruction& i = kernel_.instructions[at(id)];
      if (i.verb != Verb::load) return;
      const Access& access = kernel_.accesses[i.bits];
      std::int64_t step = stride(access.offset, lanes);
      if (step == 0 || step == 1 || step == -1) return;
      for (std::int32_t v : band.variables) {
        if (v != lanes && stride(access.offset, v) == 1 && extent(v) > 1) found = v;
      }
    });
    return found;
  }

  /// Of one point of a band. Measured: a chain of 10 on 1,024 elements takes 56 ns, a softmax row
  /// of 1,024 takes 380.
  double nanoseconds(const Loop& band) const {
    double accesses = 0;
    walk(band.body, 1, [&](Id id, double weight) {
      Verb verb = kernel_.instructions[at(id)].verb;
      bool touches = verb == Verb::load || verb == Verb::store || verb == Verb::update;
      if (touches) accesses += weight;
    });
    bool scalar = inner_lanes(band.body) < 8;
    for (std::int32_t v : band.variables) {
      for (const LoopMapping& m : mapping_.loops) scalar = scalar && m.variable != v;
    }
    return scalar ? 0.3 * work(band.body) : 0.006 * work(band.body) + 0.03 * accesses;
  }

  void phase(std::int32_t number) {
    plan(number);
    plan_unrolling(loop(number).body);
    const Loop& band = loop(number);
    const LoopMapping& m = mapping_.loops[at(number)];
    PhaseMapping p;
    p.loop = number;
    plan_tile(number, p);
    for (std::int32_t v : band.variables) {
      if (v != m.variable) p.order.push_back(v);
    }
    double each = work(band.body) * static_cast<double>(p.tile);
    if (m.variable >= 0) {
      std::int64_t e = extent(m.variable);
      double wanted_elements = std::clamp(40000.0 / each, 1.0, 4096.0);
      // Some units in any case, so that a strip's blocks of rows can be whole ones.
      if (p.order.empty())
        wanted_elements = std::min(wanted_elements, std::max(static_cast<double>(e) / 8, 256.0));
      std::int64_t wanted = static_cast<std::int64_t>(wanted_elements);
      wanted = (wanted + m.width - 1) / m.width * m.width;
      std::int32_t across = p.tiled < 0 ? transposed_variable(band, m.variable) : -1;
      if (across >= 0) {
        wanted = m.width;
        p.chunks_first = true;
        std::erase(p.order, across);
        p.order.push_back(across);
      }
      p.chunk = e <= 2 * wanted && across < 0 ? e : std::min(wanted, e);
      p.chunks = (e + p.chunk - 1) / p.chunk;
    }
    p.iterations = p.chunks;
    for (std::int32_t v : p.order) {
      p.iterations *= v == p.tiled ? (extent(v) + p.tile - 1) / p.tile : extent(v);
    }
    p.units = updates_may_meet(band.body) ? 1 : p.iterations;
    p.unit_nanoseconds = 3 + nanoseconds(band) * static_cast<double>(p.chunk * p.tile);
    // A thread is worth waking for about 20 microseconds.
    p.grain = std::clamp<std::int64_t>(static_cast<std::int64_t>(20000 / p.unit_nanoseconds),
                                       1,
                                       std::max<std::int64_t>(p.units, 1));
    mapping_.phases.push_back(std::move(p));
  }

  const Kernel& kernel_;
  VectorTarget target_;
  Mapping mapping_;
};

}  // namespace

Mapping choose_mapping(const Kernel& kernel, const VectorTarget& target) {
  return Chooser(kernel, target).run();
}

}  // namespace fluxion::codegen
