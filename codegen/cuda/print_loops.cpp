// Loops of a printed kernel: which threads share them, in which order partial results meet, where a
// group waits.
#include "codegen/cuda/printer.hpp"
#include "trace/kernel/builder.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {

using kernel::Block;
using kernel::Carry;
using kernel::Combiner;
using kernel::Instruction;
using kernel::Item;
using kernel::Loop;
using kernel::LoopKind;
using kernel::Role;
using kernel::Tree;
using kernel::Verb;

namespace {

/// Accumulators of a tree of lanes.
constexpr std::int64_t lanes = 64;
/// Bytes of shared memory between the accumulators of one carry and those of the next.
constexpr int exchange_stride = 65 * 8;

bool is_pair(Combiner combiner) {
  return combiner == Combiner::arg_min || combiner == Combiner::arg_max;
}

}  // namespace

void CudaPrinter::add_effects(const Block& items, Effects& effects) const {
  for (const Item& item : items) {
    if (item.is_loop) {
      add_effects(loop(item.index).condition_block, effects);
      add_effects(loop(item.index).body, effects);
      continue;
    }
    const Instruction& i = at(item.index);
    if (i.verb == Verb::store || i.verb == Verb::update) effects.writes = true;
    if (i.verb != Verb::load) continue;
    effects.reads = true;
    const std::int32_t buffer = kernel_.accesses[i.bits].buffer;
    if (kernel_.buffers[static_cast<std::size_t>(buffer)].role != Role::input)
      effects.rereads = true;
  }
}

CudaPrinter::Effects CudaPrinter::effects_of(const Item& item) const {
  Effects effects;
  add_effects({item}, effects);
  return effects;
}

void CudaPrinter::barrier() {
  line("{}", phase_.group == 32 ? "__syncwarp();" : "__syncthreads();");
  barriers_ = true;
  pending_ = {};
}

/// In group scope, a step that reads waits for what was written, and one that writes for all that
/// was read: an output may also lie in the memory of an input. Stores in group scope, which one
/// thread does, keep their order by themselves.
void CudaPrinter::block(const Block& items) {
  for (const Item& item : items) {
    if (!group_scope_) {
      print_item(item);
      continue;
    }
    const Effects effects = effects_of(item);
    const bool in_order = !item.is_loop && pending_.single;
    if ((effects.rereads && pending_.writes) ||
        (effects.writes && (pending_.reads || (pending_.writes && !in_order))))
      barrier();
    print_item(item);
    if (effects.writes) pending_.single = !item.is_loop && (!pending_.writes || pending_.single);
    pending_.reads |= effects.reads;
    pending_.writes |= effects.writes;
  }
}

void CudaPrinter::print_item(const Item& item) {
  if (item.is_loop)
    print_loop(item.index);
  else
    instruction(item.index);
}

void CudaPrinter::print_loop(std::int32_t number) {
  const Loop& l = loop(number);
  if (l.kind == LoopKind::parallel) return parallel(l);
  if (l.kind == LoopKind::repeat_while) return repeat_while(number);
  if (l.kind == LoopKind::serial || l.tree == Tree::sequential) return carried(number);
  const bool group = group_scope_ && !shared_inside(kernel_, l.body);
  return group ? tree_in_group(number) : tree_in_thread(number);
}

std::string CudaPrinter::bound(const Loop& l, std::size_t level) const {
  const std::int64_t n = extent(l.variables[level]);
  if (level > 0 || l.trip_count < 0) return std::to_string(n);
  const std::string trips = value(l.trip_count);
  return fmt::format("({}){}",
                     index_type(l.variables[0]),
                     fmt::format("({0} < 0 ? 0 : {0} < {1}LL ? {0} : {1}LL)", trips, n));
}

/// Loops over the outer `levels` variables, one inside the other.
void CudaPrinter::nest(const Loop& l, std::size_t levels, const std::function<void()>& body) {
  for (std::size_t k = 0; k < levels; ++k) {
    const std::int32_t v = l.variables[k];
    const std::string end = fmt::format("v{}_end", v);
    line("const {} {} = {};", index_type(v), end, bound(l, k));
    open("for ({0} v{1} = 0; v{1} < {2}; ++v{1}) {{", index_type(v), v, end);
  }
  body();
  for (std::size_t k = 0; k < levels; ++k) close();
}

void CudaPrinter::parallel(const Loop& l) {
  open("{{");
  const bool share = group_scope_ && !shared_inside(kernel_, l.body) && !l.variables.empty();
  if (!share) {
    together(l, [&] {
      nest(l, l.variables.size(), [&] {
        block(l.body);
        settle(l);
      });
    });
    return close();
  }
  std::int64_t total = 1;
  for (std::int32_t v : l.variables) total *= extent(v);
  const char* type = total + phase_.group < INT32_MAX ? "int" : "long long";
  open("for ({0} fx_i = fx_lane; fx_i < {1}; fx_i += {2}) {{", type, total, phase_.group);
  std::string rest = "fx_i";
  for (std::size_t k = l.variables.size(); k-- > 0;) {
    const std::int32_t v = l.variables[k];
    if (k == 0) {
      line("const {} v{} = {};", index_type(v), v, rest);
      break;
    }
    line("const {} v{} = {} % {};", index_type(v), v, rest, extent(v));
    line("const {} fx_i{} = {} / {};", type, k, rest, extent(v));
    rest = fmt::format("fx_i{}", k);
  }
  group_scope_ = false;
  block(l.body);
  group_scope_ = true;
  close();
  close();
}

/// Before and after an iteration that all threads of the group run and that writes, they wait.
void CudaPrinter::settle(const Loop& l) {
  Effects effects;
  add_effects(l.condition_block, effects);
  add_effects(l.body, effects);
  if (group_scope_ && effects.writes && (pending_.reads || pending_.writes)) barrier();
}

/// A loop whose iterations all threads of the group run one after the other; `body` prints all of
/// it.
void CudaPrinter::together(const Loop& l, const std::function<void()>& body) {
  settle(l);
  body();
}

CudaPrinter::Names CudaPrinter::state(std::int32_t number, const std::string& suffix) const {
  Names names;
  for (std::size_t k = 0; k < loop(number).carries.size(); ++k)
    names.push_back(fmt::format("s{}_{}{}", number, k, suffix));
  return names;
}

CudaPrinter::Names CudaPrinter::elements_of(const Loop& l) const {
  Names names;
  for (const Carry& carry : l.carries) names.push_back(value(carry.element));
  return names;
}

void CudaPrinter::declare(const Loop& l, const Names& names, bool identities) {
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Carry& carry = l.carries[k];
    const DType dtype = at(carry.initial).type;
    std::string start = value(carry.initial);
    if (identities) {
      // The index beside a value is the greatest.
      const bool index = k > 0 && is_pair(carry.combiner) &&
                         std::count_if(l.carries.begin(),
                                       l.carries.begin() + static_cast<long>(k),
                                       [](const Carry& c) { return is_pair(c.combiner); }) %
                                 2 ==
                             1;
      start = index ? "9223372036854775807LL"
                    : cuda_constant(dtype, kernel::identity_bits(carry.combiner, dtype));
    }
    line("{} {} = {};", cuda_type(dtype), names[k], start);
  }
}

void CudaPrinter::accumulate(const Loop& l,
                             const Names& into,
                             const Names& elements,
                             bool factors) {
  for (std::size_t k = 0; k < l.carries.size(); ++k) {
    const Carry& carry = l.carries[k];
    const DType dtype = at(carry.initial).type;
    if (is_pair(carry.combiner)) {
      line("if (fx_replaces<{}>({}, {}, {}, {})) {{ {} = {}; {} = {}; }}",
           carry.combiner == Combiner::arg_min,
           into[k],
           into[k + 1],
           elements[k],
           elements[k + 1],
           into[k],
           elements[k],
           into[k + 1],
           elements[k + 1]);
      ++k;
    } else if (factors && carry.factor >= 0) {
      line("{} = {};",
           into[k],
           cuda_verb(Verb::fma, dtype, dtype, elements[k], value(carry.factor), into[k]));
    } else {
      line("{} = {};", into[k], cuda_combine(carry.combiner, dtype, into[k], elements[k]));
    }
  }
}

void CudaPrinter::next_carries(std::int32_t number) {
  const Loop& l = loop(number);
  if (l.kind == LoopKind::reduce) {
    accumulate(l, state(number), elements_of(l), true);
  } else {
    for (std::size_t k = 0; k < l.carries.size(); ++k)
      line("s{}_{} = {};", number, k, value(l.carries[k].element));
  }
  settle(l);
}

void CudaPrinter::carried(std::int32_t number) {
  const Loop& l = loop(number);
  declare(l, state(number), false);
  open("{{");
  together(l, [&] {
    nest(l, l.variables.size(), [&] {
      block(l.body);
      next_carries(number);
    });
  });
  close();
}

void CudaPrinter::repeat_while(std::int32_t number) {
  const Loop& l = loop(number);
  declare(l, state(number), false);
  together(l, [&] {
    open("for (;;) {{");
    block(l.condition_block);
    line("if (!{}) break;", value(l.condition));
    block(l.body);
    next_carries(number);
    close();
  });
}

/// `initial` and the tree's value, from the left, under the names of the loop's results.
void CudaPrinter::with_initial(std::int32_t number, const Names& partial) {
  const Loop& l = loop(number);
  declare(l, state(number), false);
  accumulate(l, state(number), partial, false);
}

/// All accumulators in one thread: those that get elements, in an array.
void CudaPrinter::tree_in_thread(std::int32_t number) {
  const Loop& l = loop(number);
  const std::int64_t n = extent(l.variables.back()), live = std::min(n, lanes);
  const Names start = state(number, "_identity");
  Names arrays, lower, upper;
  declare(l, start, true);
  for (std::size_t k = 0; k < start.size(); ++k) {
    arrays.push_back(fmt::format("a{}_{}", number, k));
    lower.push_back(arrays[k] + "[fx_k]");
    upper.push_back(arrays[k] + "[fx_k + fx_n]");
    line("{} {}[{}];", type(l.carries[k].initial), arrays[k], live);
  }
  open("for (int fx_k = 0; fx_k < {}; ++fx_k) {{", live);
  for (std::size_t k = 0; k < start.size(); ++k) line("{} = {};", lower[k], start[k]);
  close();
  open("{{");
  together(l, [&] {
    nest(l, l.variables.size(), [&] {
      block(l.body);
      const std::int32_t v = l.variables.back();
      Names into;
      for (const std::string& array : arrays)
        into.push_back(fmt::format("{}[v{}{}]", array, v, n <= lanes ? "" : " & 63"));
      accumulate(l, into, elements_of(l), true);
      settle(l);
    });
  });
  close();
  // The rest of an incomplete half meets identities, which change nothing.
  open("for (int fx_n = 32; fx_n > 0; fx_n >>= 1) {{");
  open("for (int fx_k = 0; fx_k < fx_n && fx_k + fx_n < {}; ++fx_k) {{", live);
  accumulate(l, lower, upper, false);
  close();
  close();
  Names first;
  for (const std::string& array : arrays) first.push_back(array + "[0]");
  with_initial(number, first);
}

/// A warp's lanes hold two accumulators each, or the first 64 threads of a block one each.
void CudaPrinter::tree_in_group(std::int32_t number) {
  const Loop& l = loop(number);
  const bool warp = phase_.group == 32;
  const std::int32_t v = l.variables.back();
  const std::int64_t n = extent(v);
  const bool two = warp && n > 32;
  const Names lower = state(number, "_lane"), upper = state(number, "_upper");
  declare(l, lower, true);
  if (two) declare(l, upper, true);
  open("{}{{", warp ? "" : "if (fx_lane < 64) ");
  nest(l, l.variables.size() - 1, [&] {
    const bool only = l.variables.size() == 1;
    line("const {} v{}_end = {};", index_type(v), v, only ? bound(l, 0) : std::to_string(n));
    open("for ({0} v{1} = fx_lane; v{1} < v{1}_end; v{1} += {2}) {{",
         index_type(v),
         v,
         warp ? 32 : 64);
    group_scope_ = false;
    block(l.body);
    group_scope_ = true;
    if (two) open("if (v{} & 32) {{", v);
    if (two) accumulate(l, upper, elements_of(l), true);
    if (two) {
      close();
      open("else {{");
    }
    accumulate(l, lower, elements_of(l), true);
    if (two) close();
    close();
  });
  close();
  if (two) accumulate(l, lower, upper, false);
  if (warp)
    fold_in_warp(number, std::min<std::int64_t>(n, 32));
  else
    fold_in_block(number);
  with_initial(number, lower);
}

/// 32 accumulators to one, which all lanes get.
void CudaPrinter::fold_in_warp(std::int32_t number, std::int64_t live) {
  const Loop& l = loop(number);
  const Names mine = state(number, "_lane"), other = state(number, "_other");
  barriers_ = true;
  for (int half = 16; half > 0; half /= 2) {
    if (half >= live) continue;
    open("{{");
    for (std::size_t k = 0; k < mine.size(); ++k) {
      line("const {0} {1} = ({0})__shfl_down_sync(0xffffffffu, {2}, {3});",
           type(l.carries[k].initial),
           other[k],
           mine[k],
           half);
    }
    accumulate(l, mine, other, false);
    close();
  }
  for (std::size_t k = 0; k < mine.size(); ++k)
    line("{0} = ({1})__shfl_sync(0xffffffffu, {0}, 0);", mine[k], type(l.carries[k].initial));
}

/// 64 accumulators through shared memory to the first warp, and one value back to all.
void CudaPrinter::fold_in_block(std::int32_t number) {
  const Loop& l = loop(number);
  const Names mine = state(number, "_lane"), upper = state(number, "_upper");
  Names places;
  for (std::size_t k = 0; k < mine.size(); ++k) {
    places.push_back(fmt::format("x{}_{}", number, k));
    line("{0}* const {1} = ({0}*)(fx_shared + {2});",
         type(l.carries[k].initial),
         places[k],
         static_cast<int>(k) * exchange_stride);
  }
  open("if (fx_lane < 64) {{");
  for (std::size_t k = 0; k < mine.size(); ++k) line("{}[fx_lane] = {};", places[k], mine[k]);
  close();
  barrier();
  open("if (fx_lane < 32) {{");
  for (std::size_t k = 0; k < mine.size(); ++k)
    line("const {} {} = {}[fx_lane + 32];", type(l.carries[k].initial), upper[k], places[k]);
  accumulate(l, mine, upper, false);
  fold_in_warp(number, 32);
  open("if (fx_lane == 0) {{");
  for (std::size_t k = 0; k < mine.size(); ++k) line("{}[64] = {};", places[k], mine[k]);
  close();
  close();
  barrier();
  for (std::size_t k = 0; k < mine.size(); ++k) line("{} = {}[64];", mine[k], places[k]);
}

}  // namespace fluxion::codegen
