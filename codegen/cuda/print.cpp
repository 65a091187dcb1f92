// The function around a phase: parameters, rows, the loop over its units, neighbours in one word.
#include "codegen/cuda/print.hpp"

#include "codegen/cuda/printer.hpp"
#include "codegen/kernel_mapping.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>

namespace fluxion::codegen {

using kernel::Access;
using kernel::Affine;
using kernel::Block;
using kernel::Instruction;
using kernel::Item;
using kernel::Kernel;
using kernel::Loop;
using kernel::Role;
using kernel::Verb;

CudaPrinter::CudaPrinter(const Kernel& kernel, const CudaPhase& phase, std::string name)
    : kernel_(kernel), phase_(phase), name_(std::move(name)), packs_(kernel.accesses.size()) {
  for (std::size_t v = 0; v < kernel.variables.size(); ++v)
    variables_.push_back(fmt::format("v{}", v));
}

void CudaPrinter::signature(const std::string& entry) {
  std::string parameters;
  for (std::size_t k = 0; k < kernel_.buffers.size(); ++k) {
    const kernel::BufferDecl& buffer = kernel_.buffers[k];
    if (buffer.role == Role::scratch) continue;
    if (!parameters.empty()) parameters += ", ";
    parameters += fmt::format(
        "{}{}* b{}", buffer.role == Role::input ? "const " : "", cuda_memory_type(buffer.dtype), k);
  }
  if (phase_.scratch_bytes > 0)
    parameters += (parameters.empty() ? "" : ", ") + std::string("unsigned char* fx_rows");
  line("extern \"C\" __global__ void __launch_bounds__({}) {}({}) {{",
       phase_.threads,
       entry,
       parameters);
  ++depth_;
  if (phase_.shared_bytes > 0) line("extern __shared__ __align__(16) unsigned char fx_shared[];");
}

void CudaPrinter::needed_at_top(const Block& items, std::vector<bool>& needed) const {
  const auto need = [&](Id id) {
    if (id >= 0) needed[static_cast<std::size_t>(id)] = true;
  };
  for (const Item& item : items) {
    if (item.is_loop) {
      const Loop& l = loop(item.index);
      need(l.trip_count);
      need(l.condition);
      for (const kernel::Carry& carry : l.carries) {
        for (Id id : {carry.initial, carry.element, carry.factor}) need(id);
      }
      needed_at_top(l.condition_block, needed);
      needed_at_top(l.body, needed);
      continue;
    }
    const Instruction& i = at(item.index);
    const Id ids[] = {i.a, i.b, i.c};
    for (int k = 0; k < kernel::operand_count(i.verb); ++k) need(ids[k]);
    if (i.verb != Verb::load && i.verb != Verb::store && i.verb != Verb::update) continue;
    const Access& access = kernel_.accesses[i.bits];
    need(access.predicate);
    need(access.otherwise);
    for (const Affine::Term& term : access.offset.opaque) need(term.of);
  }
}

/// What stands among the phases belongs to every phase that uses it.
void CudaPrinter::top_instructions() {
  std::vector<bool> needed(kernel_.instructions.size());
  needed_at_top({Item{true, phase_.loop}}, needed);
  const Block& top = kernel_.top;
  for (std::size_t k = top.size(); k-- > 0;) {
    if (!top[k].is_loop && needed[static_cast<std::size_t>(top[k].index)])
      needed_at_top({top[k]}, needed);
  }
  for (const Item& item : top) {
    if (!item.is_loop && needed[static_cast<std::size_t>(item.index)]) instruction(item.index);
  }
}

/// Pointers to the scratch rows of one group, or thread, that lie one after the other.
void CudaPrinter::rows(const std::string& owner) {
  if (phase_.scratch != CudaScratch::shared && phase_.scratch != CudaScratch::global) return;
  const std::int64_t row = scratch_row_bytes(kernel_), groups = phase_.threads / phase_.group;
  if (phase_.scratch == CudaScratch::shared) {
    line("unsigned char* const fx_row = fx_shared + {} + {} * {};",
         phase_.shared_bytes - groups * row,
         owner,
         row);
  } else {
    line("unsigned char* const fx_row = fx_rows + (blockIdx.x * {}LL + {}) * {}LL;",
         groups,
         owner,
         row);
  }
  std::int64_t at = 0;
  for (std::size_t k = 0; k < kernel_.buffers.size(); ++k) {
    const kernel::BufferDecl& buffer = kernel_.buffers[k];
    if (buffer.role != Role::scratch) continue;
    line("{0}* const b{1} = ({0}*)(fx_row + {2});", cuda_memory_type(buffer.dtype), k, at);
    at += (buffer.count * kernel::bytes_of(buffer.dtype) + 15) / 16 * 16;
  }
}

void CudaPrinter::local_rows() {
  if (phase_.scratch != CudaScratch::local) return;
  for (std::size_t k = 0; k < kernel_.buffers.size(); ++k) {
    const kernel::BufferDecl& buffer = kernel_.buffers[k];
    if (buffer.role == Role::scratch)
      line("{} b{}[{}];",
           cuda_memory_type(buffer.dtype),
           k,
           std::max<std::int64_t>(buffer.count, 1));
  }
}

void CudaPrinter::over_units(const std::function<void()>& body) {
  const std::int64_t groups = phase_.threads / phase_.group;
  const bool small = phase_.units + (phase_.blocks + 1) * groups < INT64_C(0x100000000);
  const char* type = small ? "unsigned" : "unsigned long long";
  std::string owner = "threadIdx.x";
  if (phase_.work == CudaWork::group) {
    line("const int fx_lane = {};", phase_.group == 32 ? "threadIdx.x & 31" : "threadIdx.x");
    owner = phase_.group == 32 ? "(threadIdx.x >> 5)" : "0u";
  }
  rows(owner);
  open(
      "for ({0} fx_unit = ({0})blockIdx.x * {1} + {2}; fx_unit < {3}; "
      "fx_unit += ({0})gridDim.x * {1}) {{",
      type,
      groups,
      owner,
      phase_.units);
  local_rows();
  body();
  close();
}

/// The variables of a unit, the last one fastest and in steps of `elements`, where it is called
/// v*_first.
void CudaPrinter::split_units(const std::vector<std::int32_t>& variables, int elements) {
  std::string rest = "fx_unit";
  for (std::size_t k = variables.size(); k-- > 0;) {
    const std::int32_t v = variables[k];
    const bool last = k + 1 == variables.size();
    const int step = last ? elements : 1;
    const std::int64_t count = (extent(v) + step - 1) / step;
    const std::string place = k == 0 ? rest : fmt::format("{} % {}u", rest, count);
    line("const {} v{}{} = {}({}){};",
         index_type(v),
         v,
         step > 1 ? "_first" : "",
         fmt::format("({})", index_type(v)),
         place,
         step > 1 ? fmt::format(" * {}", step) : "");
    if (k == 0) break;
    line("const auto fx_rest{} = {} / {}u;", k, rest, count);
    rest = fmt::format("fx_rest{}", k);
  }
}

/// Whether the elements of an access that belong to a thread's neighbours are whole words.
bool CudaPrinter::moves_whole(const Access& access, std::int32_t v) const {
  if (access.predicate >= 0 || !access.offset.opaque.empty()) return false;
  bool unit = false;
  for (const Affine::Term& term : access.offset.variables) {
    if (term.of == v)
      unit = term.scale == 1;
    else if (term.scale % phase_.elements != 0)
      return false;
  }
  return unit && access.offset.constant % phase_.elements == 0;
}

/// Loads of all neighbours, then their values, then all stores.
void CudaPrinter::neighbours(std::int32_t v) {
  Effects effects;
  const Block& body = loop(phase_.loop).body;
  add_effects(body, effects);
  std::vector<std::string> stores;
  for (const Item& item : body) {
    const Instruction& i = at(item.index);
    const bool is_load = i.verb == Verb::load;
    if (!is_load && (i.verb != Verb::store || effects.rereads)) continue;
    const Access& access = kernel_.accesses[i.bits];
    const Role role = kernel_.buffers[static_cast<std::size_t>(access.buffer)].role;
    if (role != (is_load ? Role::input : Role::output) || !moves_whole(access, v)) continue;
    const std::string pack = fmt::format("p{}", i.bits);
    const std::string type =
        fmt::format("fx_pack<{}, {}>", cuda_memory_type(i.type), phase_.elements);
    variable(v) = fmt::format("v{}_first", v);
    const std::string place = fmt::format(
        "({}{}*)(b{} + {})", is_load ? "const " : "", type, access.buffer, offset(access.offset));
    variable(v) = fmt::format("v{}", v);
    packs_[i.bits] = pack;
    if (is_load) {
      line("const {} {} = *{};", type, pack, place);
    } else {
      line("{} {};", type, pack);
      stores.push_back(fmt::format("*{} = {};", place, pack));
    }
  }
  line("#pragma unroll");
  open("for (int fx_k = 0; fx_k < {}; ++fx_k) {{", phase_.elements);
  line("const {0} v{1} = v{1}_first + fx_k;", index_type(v), v);
  block(body);
  close();
  for (const std::string& store : stores) line("{}", store);
  std::fill(packs_.begin(), packs_.end(), "");
}

void CudaPrinter::elements() {
  const std::int32_t v = phase_.across.back();
  if (extent(v) % phase_.elements != 0) {
    open("if (v{}_first + {} > {}) {{", v, phase_.elements, extent(v));
    open("for ({0} v{1} = v{1}_first; v{1} < {2}; ++v{1}) {{", index_type(v), v, extent(v));
    block(loop(phase_.loop).body);
    close();
    line("continue;");
    close();
  }
  neighbours(v);
}

std::string CudaPrinter::function(const std::string& entry) {
  const Loop& band = loop(phase_.loop);
  signature(entry);
  top_instructions();
  over_units([&] {
    split_units(phase_.across, phase_.elements);
    if (phase_.elements > 1) return elements();
    group_scope_ = phase_.work == CudaWork::group;
    for (std::int32_t v : phase_.inside)
      open("for ({0} v{1} = 0; v{1} < {2}; ++v{1}) {{", index_type(v), v, extent(v));
    block(band.body);
    for (std::size_t k = 0; k < phase_.inside.size(); ++k) close();
    // The next unit may write what another thread still reads.
    if (group_scope_ && phase_.scratch != CudaScratch::none) barrier();
  });
  close();
  return std::move(text_);
}

namespace {

std::string tables(const Kernel& kernel, const std::string& name) {
  std::string text;
  for (std::size_t k = 0; k < kernel.tables.size(); ++k) {
    const kernel::Table& table = kernel.tables[k];
    text += fmt::format(
        "static __device__ const {} {}_table{}[] = {{", cuda_type(table.dtype), name, k);
    for (std::size_t n = 0; n < table.bits.size(); ++n)
      text += (n ? ", " : "") + cuda_constant(table.dtype, table.bits[n]);
    text += "};\n";
  }
  return text;
}

}  // namespace

CudaSource print_cuda(const Kernel& kernel, const CudaMapping& mapping, const std::string& name) {
  CudaSource source;
  source.text = tables(kernel, name);
  for (const CudaPhase& phase : mapping.phases) {
    CudaPrinter printer(kernel, phase, name);
    const std::string entry = fmt::format("{}_{}", name, source.launches.size());
    source.text += printer.function(entry);
    source.launches.push_back({entry,
                               phase.blocks,
                               phase.threads,
                               phase.shared_bytes,
                               phase.scratch_bytes,
                               printer.barriers()});
  }
  return source;
}

CudaSource cuda_source(const Kernel& given, const std::string& name, const CudaTarget& target) {
  const Kernel kernel = collapse(given);
  return print_cuda(kernel, choose_cuda_mapping(kernel, target), name);
}

std::string cuda_program(std::span<const CudaSource> sources) {
  std::string text;
  for (const CudaSource& source : sources) text += source.text;
  return cuda_prelude(text) + text;
}

}  // namespace fluxion::codegen
