// From functions to graphs: values, calls, regions, and the checks around every operation.
#include "interop/stablehlo_lower.hpp"

#include "interop/stablehlo_fields.hpp"
#include "trace/error.hpp"
#include "trace/ops/constant.hpp"

#include <algorithm>

namespace fluxion::stablehlo {
namespace {

constexpr std::size_t deepest_call = 200;

const Row* row_of(std::string_view name) {
  static const std::map<std::string_view, const Row*> table = [] {
    std::map<std::string_view, const Row*> out;
    for (Rows rows : {arithmetic_rows(),
                      function_rows(),
                      shape_rows(),
                      indexing_rows(),
                      contraction_rows(),
                      reduction_rows(),
                      structure_rows(),
                      loop_rows(),
                      sorting_rows(),
                      factorization_rows()})
      for (const Row& row : rows) out.emplace(row.name, &row);
    return out;
  }();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

/// The text of an error without its code and its line.
std::string sentence_of(const Error& e) {
  std::string text = e.what();
  if (const std::size_t begin = text.find("]: "); begin != text.npos) text.erase(0, begin + 3);
  const std::size_t arrow = text.find("\n  --> ");
  if (arrow != text.npos)
    text.erase(
        arrow,
        text.find('\n', arrow + 1) == text.npos ? text.npos : text.find('\n', arrow + 1) - arrow);
  return text;
}

/// Operations that the writer marks with this library's own attributes: what it is called here, and
/// how many of the operands it takes.
struct Marked {
  std::string_view theirs, ours;
  std::size_t operands;
};
constexpr Marked marked[] = {{"stablehlo.reduce", "argreduce", 1},
                             {"stablehlo.reduce_window", "cumulative", 1},
                             {"stablehlo.reduce", "reduce", 1},
                             {"stablehlo.reduce_window", "reduce_window", 1},
                             {"stablehlo.dot_general", "dot_general", 2},
                             {"stablehlo.gather", "gather", 2},
                             {"stablehlo.scatter", "scatter", 3},
                             {"stablehlo.convolution", "conv_general_dilated", 2}};

std::optional<ArrayList> record_marked(const Step& step) {
  const Attribute* mark = step.find("fluxion.operation");
  if (!mark) return {};
  for (const Marked& m : marked) {
    if (m.theirs != step.op.name || step.count() < m.operands) continue;
    const std::optional<Op> op = operation_of(m.ours, mark->text);
    if (!op) continue;
    ArrayList operands;
    for (std::size_t k = 0; k < m.operands; ++k) operands.push_back(step.x(k));
    ArrayList results = emit_all(*op, operands, step.site());
    if (m.ours == "argreduce")
      results.insert(results.begin(), Array());  // the extreme, which nothing reads
    return results;
  }
  step.complain("fluxion.operation does not describe " + step.op.name);
}

void define(const Region& region, Values& values) {
  for (const Operation& o : region.operations)
    for (std::size_t k = 0; k < o.results.size(); ++k)
      values.definitions[static_cast<std::size_t>(o.first_result) + k] = &o;
}

void check_counts(const Step& step, const Row& row) {
  const Operation& o = step.op;
  const auto differs = [&](int wanted, std::size_t given) {
    return wanted >= 0 && static_cast<std::size_t>(wanted) != given;
  };
  if (differs(row.operands, o.operands.size()))
    step.complain(o.name + " takes " + std::to_string(row.operands) + " operands, not " +
                  std::to_string(o.operands.size()));
  if (differs(row.results, o.results.size()))
    step.complain(o.name + " has " + std::to_string(row.results) + " results, not " +
                  std::to_string(o.results.size()));
  if (differs(row.regions, o.regions.size()))
    step.complain(o.name + " has " + std::to_string(row.regions) + " regions, not " +
                  std::to_string(o.regions.size()));
}

void check_types(const Step& step, std::string_view what, std::span<const Spec> said, Arrays real) {
  if (said.size() != real.size())
    step.complain(step.op.name + " has " + std::to_string(real.size()) + " " + std::string(what) +
                  "s, and the text says " + std::to_string(said.size()));
  for (std::size_t k = 0; k < said.size(); ++k)
    if (defined(real[k]) && !(said[k] == type_of(real[k])))
      step.complain("the type of " + std::string(what) + " " + std::to_string(k) + " of " +
                        step.op.name + " is not what the text says",
                    {"it is    " + type_text(type_of(real[k])), "the text " + type_text(said[k])});
}

}  // namespace

Values values_of(const Definition& f) {
  Values out;
  out.arrays.resize(static_cast<std::size_t>(f.value_count));
  out.definitions.resize(static_cast<std::size_t>(f.value_count));
  return out;
}

Traced close_exactly(FrameScope& scope, Arrays outputs) {
  Frame& frame = scope.frame();
  std::vector<ValueId> values;
  for (const Array& a : outputs) values.push_back(frame.value_of(a, frame.site));
  Traced out{frame.builder.finish(std::move(values)), frame.captures};
  scope.pop();
  return out;
}

const Traced& Lowering::function(std::string_view name, Location at) {
  if (const auto found = functions_.find(name); found != functions_.end()) return found->second;
  const Definition* f = module_.find(name);
  if (!f) fail_at("stablehlo-program", site_, at, "there is no function @" + std::string(name));
  if (std::find(active_.begin(), active_.end(), name) != active_.end())
    fail_at("stablehlo-program", site_, at, "@" + std::string(name) + " calls itself");
  if (active_.size() >= deepest_call)
    fail_at("stablehlo-program", site_, at, "calls nest too deep");
  active_.push_back(f->name);
  Values values = values_of(*f);
  FrameScope scope(Frame::Kind::unbound, "stablehlo", site_);
  for (std::size_t k = 0; k < f->body.arguments.size(); ++k)
    values.arrays[static_cast<std::size_t>(f->body.arguments[k])] =
        scope.input(f->body.argument_types[k], site_);
  const ArrayList results = record(f->body, values);
  Types types;
  for (const Array& a : results) types.push_back(type_of(a));
  if (types != f->results)
    fail_at("stablehlo-program", site_, f->at, "@" + f->name + " returns other types than it says");
  Traced traced = close_exactly(scope, results);
  active_.pop_back();
  return functions_.emplace(f->name, std::move(traced)).first->second;
}

ArrayList Lowering::record(const Region& region, Values& values) {
  define(region, values);
  if (region.operations.empty() || region.operations.back().name != "return")
    fail_at("stablehlo-program",
            site_,
            region.operations.empty() ? Location{1, 1} : region.operations.back().at,
            "a function or region must end in return");
  for (const Operation& o : region.operations) {
    if (&o == &region.operations.back()) break;
    if (o.name == "return")
      fail_at(
          "stablehlo-program", site_, o.at, "return is the last operation of a function or region");
    ArrayList results = operation(o, values);
    for (std::size_t k = 0; k < results.size(); ++k)
      values.arrays[static_cast<std::size_t>(o.first_result) + k] = std::move(results[k]);
  }
  const Operation& last = region.operations.back();
  const Step step(*this, last, values);
  ArrayList out;
  for (std::size_t k = 0; k < last.operands.size(); ++k) out.push_back(step.x(k));
  check_types(step, "operand", last.operand_types, out);
  return out;
}

Traced Lowering::region(const Region& region, Values& values, TypeList arguments) {
  const Location at = region.operations.empty() ? Location{1, 1} : region.operations.front().at;
  if (arguments.size() != region.arguments.size())
    fail_at("stablehlo-program",
            site_,
            at,
            "a region with " + std::to_string(region.arguments.size()) + " arguments where " +
                std::to_string(arguments.size()) + " are given");
  for (std::size_t k = 0; k < arguments.size(); ++k)
    if (!(arguments[k] == region.argument_types[k]))
      fail_at("stablehlo-program",
              site_,
              at,
              "argument " + std::to_string(k) + " of the region is " +
                  type_text(region.argument_types[k]) + ", and " + type_text(arguments[k]) +
                  " is given");
  FrameScope scope(Frame::Kind::unbound, "stablehlo", site_);
  for (std::size_t k = 0; k < arguments.size(); ++k)
    values.arrays[static_cast<std::size_t>(region.arguments[k])] = scope.input(arguments[k], site_);
  const ArrayList results = record(region, values);
  return close_exactly(scope, results);
}

ArrayList Lowering::operation(const Operation& o, Values& values) {
  const Step step(*this, o, values);
  const Row* row = row_of(o.name);
  if (!row) step.complain("the operation " + o.name + " is not known");
  check_counts(step, *row);
  if (o.name != "stablehlo.constant" && o.find("fluxion.helper"))
    return ArrayList(o.results.size());
  ArrayList operands;
  for (ValueNumber v : o.operands) operands.push_back(values.arrays[static_cast<std::size_t>(v)]);
  if (!o.operand_types.empty()) check_types(step, "operand", o.operand_types, operands);
  ArrayList results;
  try {
    std::optional<ArrayList> own = record_marked(step);
    results = own ? std::move(*own) : row->record(step);
  } catch (const Error& e) {
    if (e.code().starts_with("stablehlo")) throw;
    step.complain(o.name + ": " + sentence_of(e));
  } catch (const InternalError&) {  // text can say what no function of the library records
    step.complain(o.name + " cannot be recorded as the text says");
  }
  check_types(step, "result", o.results, results);
  return results;
}

const Array& Step::x(std::size_t k) const {
  const Array& value = values.arrays[static_cast<std::size_t>(op.operands[k])];
  if (!defined(value))
    complain("operand " + std::to_string(k) + " of " + op.name +
             " is a value that is not to be read");
  return value;
}

void Step::complain(const std::string& what, std::initializer_list<std::string> details) const {
  fail_at("stablehlo-program", site(), op.at, what, details);
}

const Attribute* Step::find(std::string_view name, std::string_view short_name) const {
  const Attribute* found = op.find(name);
  return found || short_name.empty() ? found : op.find(short_name);
}
const Attribute& Step::need(std::string_view name, std::string_view short_name) const {
  const Attribute* found = find(name, short_name);
  if (!found) complain(op.name + " needs the attribute " + std::string(name));
  return *found;
}
bool Step::flag(std::string_view name, bool otherwise) const {
  const Attribute* a = find(name);
  if (!a) return otherwise;
  if (a->kind == Attribute::Kind::unit) return true;
  if (a->kind != Attribute::Kind::boolean)
    complain(std::string(name) + " of " + op.name + " must be true or false");
  return a->boolean;
}
std::int64_t Step::integer(std::string_view name, std::string_view short_name) const {
  const Attribute& a = need(name, short_name);
  if (a.kind != Attribute::Kind::integer)
    complain(std::string(name) + " of " + op.name + " must be an integer");
  return a.integer;
}
std::int64_t Step::integer_or(std::string_view name, std::int64_t otherwise) const {
  return find(name) ? integer(name) : otherwise;
}

std::string Step::word(std::string_view name, std::size_t place) const {
  if (const Attribute* a = find(name)) return a->text;
  return place < op.words.size() ? op.words[place] : std::string();
}

std::vector<std::int64_t> Step::integers_of(const Attribute& a) const {
  std::vector<std::int64_t> out;
  if (a.kind == Attribute::Kind::list) {
    for (const Attribute& e : a.list) {
      if (e.kind == Attribute::Kind::boolean)
        out.push_back(e.boolean);
      else if (e.kind == Attribute::Kind::integer)
        out.push_back(e.integer);
      else
        complain("a list of integers is expected in the attributes of " + op.name);
    }
  } else if (a.kind == Attribute::Kind::elements &&
             (a.elements->type.dtype == int64 || a.elements->type.dtype == bool_)) {
    const std::int64_t count = a.elements->splat ? element_count(a.elements->type.shape) : -1;
    if (count > 10000) complain("an attribute of " + op.name + " is too long");
    const std::size_t size = size_of(a.elements->type.dtype);
    for (std::size_t i = 0; i + size <= a.elements->bytes.size(); i += size) {
      std::int64_t v = 0;
      std::memcpy(&v, a.elements->bytes.data() + i, size);
      out.push_back(v);
    }
    if (count >= 0) out.assign(static_cast<std::size_t>(count), out.at(0));
  } else {
    complain("a list of integers is expected in the attributes of " + op.name);
  }
  return out;
}
std::vector<std::int64_t> Step::integers(std::string_view name, std::string_view short_name) const {
  return integers_of(need(name, short_name));
}
std::vector<std::int64_t> Step::integers_or(std::string_view name,
                                            std::size_t count,
                                            std::int64_t otherwise) const {
  const Attribute* a = find(name);
  if (!a) return std::vector<std::int64_t>(count, otherwise);
  std::vector<std::int64_t> out = integers_of(*a);
  if (out.size() != count)
    complain(std::string(name) + " of " + op.name + " has " + std::to_string(out.size()) +
             " entries, not " + std::to_string(count));
  return out;
}
std::vector<int> Step::axes_of(const Attribute* a) const {
  std::vector<int> out;
  if (!a) return out;
  for (std::int64_t v : integers_of(*a)) {
    if (v < 0 || v > 64) complain("there is no axis " + std::to_string(v));
    out.push_back(static_cast<int>(v));
  }
  return out;
}
std::vector<int> Step::axes(std::string_view name, std::string_view short_name) const {
  return axes_of(&need(name, short_name));
}

std::vector<std::pair<std::int64_t, std::int64_t>> Step::pairs_or_zero(std::string_view name,
                                                                       std::size_t count) const {
  std::vector<std::pair<std::int64_t, std::int64_t>> out(count);
  const Attribute* a = find(name);
  if (!a) return out;
  std::vector<std::int64_t> flat;
  if (a->kind == Attribute::Kind::list && !a->list.empty() &&
      a->list[0].kind == Attribute::Kind::list) {
    for (const Attribute& pair : a->list) {
      const std::vector<std::int64_t> two = integers_of(pair);
      if (two.size() != 2) complain(std::string(name) + " of " + op.name + " is a list of pairs");
      flat.insert(flat.end(), two.begin(), two.end());
    }
  } else {
    flat = integers_of(*a);
  }
  if (flat.size() != 2 * count)
    complain(std::string(name) + " of " + op.name + " has " + std::to_string(flat.size() / 2) +
             " pairs, not " + std::to_string(count));
  for (std::size_t k = 0; k < count; ++k) out[k] = {flat[2 * k], flat[2 * k + 1]};
  return out;
}

const Elements* Step::literal_of(ValueNumber v) const {
  for (int steps = 0; steps < 8; ++steps) {
    const Operation* o = definition(v);
    if (!o) return nullptr;
    if (o->name == "stablehlo.constant") {
      const Attribute* value = o->find("value");
      if (!value || !value->elements ||
          (!value->elements->splat && element_count(value->elements->type.shape) != 1))
        return nullptr;
      return value->elements.get();
    }
    if ((o->name != "stablehlo.broadcast_in_dim" && o->name != "stablehlo.reshape") ||
        o->operands.size() != 1)
      return nullptr;
    v = o->operands[0];
  }
  return nullptr;
}

}  // namespace fluxion::stablehlo
