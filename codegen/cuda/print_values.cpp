// Instructions of a printed kernel: values, indices, loads, stores, updates.
#include "codegen/cuda/printer.hpp"
#include "trace/kernel/fold.hpp"

#include <algorithm>
#include <cstdlib>

namespace fluxion::codegen {

using kernel::Access;
using kernel::Affine;
using kernel::Combiner;
using kernel::Instruction;
using kernel::Promise;
using kernel::Verb;

std::string CudaPrinter::value(Id id) const {
  const Instruction& i = at(id);
  if (i.verb == Verb::constant) return cuda_constant(i.type, i.bits);
  return fmt::format("t{}", id);
}

const char* CudaPrinter::index_type(std::int32_t v) const {
  return extent(v) < INT32_MAX ? "int" : "long long";
}

/// In 32 bits where every partial sum fits.
std::string CudaPrinter::offset(const Affine& affine) const {
  bool small = affine.opaque.empty();
  double reach = std::abs(static_cast<double>(affine.constant));
  for (const Affine::Term& term : affine.variables) {
    small = small && extent(term.of) < INT32_MAX;
    reach += std::abs(static_cast<double>(term.scale)) * static_cast<double>(extent(term.of));
  }
  small = small && reach < 2147483647.0;
  const char* wide = small ? "" : "(long long)";
  std::string text;
  const auto add = [&](const std::string& name, std::int64_t scale) {
    if (!text.empty()) text += " + ";
    text += scale == 1 ? wide + name
                       : fmt::format("{}{} * {}",
                                     wide,
                                     name,
                                     small ? std::to_string(scale) : std::to_string(scale) + "LL");
  };
  for (const Affine::Term& term : affine.variables)
    add(variables_[static_cast<std::size_t>(term.of)], term.scale);
  for (const Affine::Term& term : affine.opaque) add(value(term.of), term.scale);
  if (affine.constant != 0 || text.empty()) {
    if (!text.empty()) text += " + ";
    text += std::to_string(affine.constant) + (small ? "" : "LL");
  }
  return text;
}

std::string CudaPrinter::element(const Access& access) const {
  return fmt::format("b{}[{}]", access.buffer, offset(access.offset));
}

std::string CudaPrinter::loaded(const Instruction& i) const {
  const Access& access = kernel_.accesses[i.bits];
  const std::string& pack = packs_[i.bits];
  std::string text = pack.empty() ? element(access) : pack + ".e[fx_k]";
  if (i.type == bool_) text = "(" + text + " != 0)";
  if (access.predicate < 0) return text;
  return fmt::format("{} ? {} : {}", value(access.predicate), text, value(access.otherwise));
}

void CudaPrinter::store(const Instruction& i) {
  const Access& access = kernel_.accesses[i.bits];
  const std::string& pack = packs_[i.bits];
  std::string condition;
  if (group_scope_) condition = "fx_lane == 0";
  if (access.predicate >= 0) {
    if (!condition.empty()) condition += " && ";
    condition += value(access.predicate);
  }
  if (!condition.empty()) condition = "if (" + condition + ") ";
  line("{}{} = {};", condition, pack.empty() ? element(access) : pack + ".e[fx_k]", value(i.a));
}

void CudaPrinter::update(const Instruction& i) {
  const Access& access = kernel_.accesses[i.bits];
  const auto combiner = static_cast<Combiner>(i.b);
  std::string condition;
  if (group_scope_) condition = "fx_lane == 0";
  if (access.predicate >= 0)
    condition += (condition.empty() ? "" : " && ") + value(access.predicate);
  if (!condition.empty())
    open("if ({}) {{", condition);
  else
    open("{{");
  const char* memory = cuda_memory_type(i.type);
  line("{}* const at = &{};", memory, element(access));
  const bool atomic = phase_.atomics && static_cast<Promise>(i.c) != Promise::unique;
  if (atomic && combiner == Combiner::add) {
    line("fx_atomic_add(at, {});", value(i.a));
  } else if (atomic) {
    line("fx_atomic(at, [=](const {} x) {{ return {}; }});",
         cuda_type(i.type),
         cuda_combine(combiner, i.type, "x", value(i.a)));
  } else if (combiner == Combiner::set) {
    line("*at = {};", value(i.a));
  } else {
    line("const {} x = *at{};", cuda_type(i.type), i.type == bool_ ? " != 0" : "");
    line("*at = {};", cuda_combine(combiner, i.type, "x", value(i.a)));
  }
  close();
}

void CudaPrinter::instruction(Id id) {
  const Instruction& i = at(id);
  const auto define = [&](const std::string& expression) {
    line("const {} t{} = {};", cuda_type(i.type), id, expression);
  };
  switch (i.verb) {
    case Verb::constant:
      return;
    case Verb::loop_index:
      return define(variables_[i.bits]);
    case Verb::carry:
    case Verb::result:
      return define(fmt::format("s{}_{}", i.a, i.b));
    case Verb::load:
      return define(loaded(i));
    case Verb::store:
      return store(i);
    case Verb::update:
      return update(i);
    case Verb::table:
      return define(fmt::format("{}_table{}[{}]", name_, i.bits, value(i.a)));
    default:
      break;
  }
  const Id ids[] = {i.a, i.b, i.c};
  std::string operands[3];
  for (int k = 0; k < kernel::operand_count(i.verb); ++k) operands[k] = value(ids[k]);
  const DType operand = i.verb == Verb::select ? i.type : at(i.a).type;
  define(cuda_verb(i.verb, i.type, operand, operands[0], operands[1], operands[2]));
}

}  // namespace fluxion::codegen
