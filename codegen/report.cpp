// Steps in the user's words: which operations, at which line, how much work.
#include "codegen/report.hpp"

#include "codegen/regions.hpp"
#include "codegen/strips.hpp"
#include "trace/ops/constant.hpp"
#include "trace/ops/control_flow.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace fluxion::codegen {
namespace {

const Operation& operation(const Graph& graph, std::int32_t i) {
  return graph.operations()[static_cast<std::size_t>(i)];
}

std::string_view kind_of(const Step& step) {
  if (step.kind == Cut::Kind::kernel) return "kernel";
  if (step.kind == Cut::Kind::leaf) return "leaf";
  if (step.kind == Cut::Kind::copy) return "copy";
  if (step.strip) return "strip";
  if (step.region) return step.region->op.as<ops::Cond>() ? "branch" : "loop";
  return "reference";
}

/// Says little about a kernel that does other things, too.
bool only_arranges(const Op& op) {
  return op.as<ops::Constant>() || op.name() == "broadcast_in_dim" || op.name() == "reshape";
}

/// What a step is best known by: a structured operation, or else the one that makes its first
/// result.
const Operation& main_operation(const Graph& graph, const Step& step, const Group& group) {
  if (step.operation >= 0) return operation(graph, step.operation);
  const Operation* found = nullptr;
  for (std::int32_t i : group.operations) {
    const Operation& o = operation(graph, i);
    const bool makes = !group.outputs.empty() && o.first_result <= group.outputs[0] &&
                       group.outputs[0] < o.first_result + o.result_count;
    if (o.op.structured() || (makes && !(found && found->op.structured()))) found = &o;
  }
  return found ? *found : operation(graph, group.operations.back());
}

/// The value that a copy makes: what the step after it changes in place.
Types copied_type(const Schedule& schedule, std::size_t number) {
  const Step& copy = schedule.steps[number];
  for (std::size_t k = number + 1; k < schedule.steps.size(); ++k) {
    const Step& step = schedule.steps[k];
    if (step.cut != copy.cut || step.kind == Cut::Kind::copy) continue;
    const auto& outputs = schedule.cuts[static_cast<std::size_t>(copy.cut)].group.outputs;
    for (std::size_t j = 0; j < outputs.size(); ++j)
      if (step.outputs[j] == copy.outputs[0]) return {schedule.graph->type(outputs[j])};
  }
  return {};
}

std::string number_text(double n) {
  if (n < 1000) return fmt::format("{:.0f}", n);
  static constexpr const char* units[] = {"k", "M", "G", "T", "P", "E"};
  std::size_t unit = 0;
  n /= 1000;
  while (n >= 999.5 && unit + 1 < std::size(units)) {
    n /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f}{}", n, n < 9.995 ? 2 : n < 99.95 ? 1 : 0, units[unit]);
}

/// The end of a long text is what tells it from others.
std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  return fmt::format("..{}", std::string_view(text).substr(text.size() - most + 2));
}

std::string types_text(const Types& types, std::size_t most) {
  std::string text;
  for (std::size_t k = 0; k < types.size(); ++k) {
    const std::string type = to_string(types[k]);
    const std::string more = fmt::format(" +{}", types.size() - k);
    const bool last = k + 1 == types.size();
    if (k > 0 && text.size() + 1 + type.size() + (last ? 0 : more.size()) > most)
      return text + more;
    text += (k ? " " : "") + type;
  }
  return shortened(text, most);
}

class Table {
 public:
  void row(StepReport step, std::size_t depth) {
    const std::string implementation = std::move(step.implementation);
    rows_.push_back({std::string(2 * depth, ' ') + std::string(step.kind), std::move(step), {}});
    if (!implementation.empty()) note(depth, "by " + implementation);
  }
  void note(std::size_t depth, const std::string& text) {
    rows_.push_back({{}, {}, std::string(2 * depth + 2, ' ') + text});
  }
  void sum(const Work& work) {
    rows_.push_back({"sum", {}, {}});
    rows_.back().step.work = work;
  }

  /// As much of lists and names as there is room for.
  std::string text() const {
    static constexpr Limits limits[] = {{28, 32, 24}, {28, 24, 18}, {24, 20, 14}, {16, 16, 12}};
    for (const Limits& most : limits)
      if (const std::string text = with_limits(most, &most == std::end(limits) - 1); !text.empty())
        return text;
    return {};
  }

 private:
  static constexpr std::size_t columns = 8, most_columns = 120;
  struct Limits {
    std::size_t operations, line, types;
  };
  struct Row {
    std::string kind;
    StepReport step;
    std::string note;  // instead of cells
  };
  using Cells = std::array<std::string, columns>;

  static Cells cells_of(const Row& row, const Limits& most) {
    return {row.kind,
            short_list(row.step.operations, most.operations),
            shortened(short_line(row.step.site), most.line),
            types_text(row.step.writes, most.types),
            number_text(row.step.work.flops),
            number_text(row.step.work.read),
            number_text(row.step.work.written),
            number_text(row.step.work.transcendentals)};
  }
  /// Empty where it is too wide.
  std::string with_limits(const Limits& most, bool cut) const {
    std::vector<Cells> table{
        {"step", "operations", "line", "writes", "flops", "read", "written", "transc."}};
    for (const Row& row : rows_) table.push_back(row.note.empty() ? cells_of(row, most) : Cells());
    std::size_t width[columns] = {}, all = 2 * (columns - 1);
    for (std::size_t k = 0; k < columns; ++k) {
      for (const Cells& cells : table) width[k] = std::max(width[k], cells[k].size());
      all += width[k];
    }
    if (all > most_columns && !cut) return {};
    std::string text;
    for (std::size_t r = 0; r < table.size(); ++r) {
      std::string line = r > 0 ? rows_[r - 1].note : "";
      for (std::size_t k = 0; k < columns && line.size() < most_columns; ++k) {
        if (r > 0 && !rows_[r - 1].note.empty()) break;
        if (k > 0) line += "  ";
        line += k >= columns - 4 ? fmt::format("{:>{}}", table[r][k], width[k])
                                 : fmt::format("{:<{}}", table[r][k], width[k]);
      }
      line.resize(std::min(line.size(), most_columns));
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + '\n';
    }
    return text;
  }

  std::vector<Row> rows_;
};

StepReport report_of(const Schedule& schedule, const Step& step) {
  const Graph& graph = *schedule.graph;
  const Group& group = schedule.cuts[static_cast<std::size_t>(step.cut)].group;
  StepReport report;
  report.kind = kind_of(step);
  for (bool all : {false, true})
    for (std::int32_t i : group.operations)
      if (const Op& op = operation(graph, i).op;
          all ? report.operations.empty() : !only_arranges(op))
        report.operations.emplace_back(op.name());
  report.site = main_operation(graph, step, group).site;
  report.work = work_of(schedule, step);
  if (step.leaf) report.implementation = step.leaf->description();
  for (ValueId v : group.outputs) report.writes.push_back(graph.type(v));
  return report;
}

/// A strip has the operations of all its parts, and writes what their last one does.
StepReport report_of_strip(const Schedule& schedule, const Step& step) {
  StepReport report = report_of(schedule, step);
  report.operations.clear();
  for (const Step& part : step.strip->steps)
    for (std::string& name : report_of(schedule, part).operations)
      report.operations.push_back(std::move(name));
  return report;
}

void add_steps(Table& table, const Schedule& schedule, std::size_t depth) {
  for (std::size_t k = 0; k < schedule.steps.size(); ++k) {
    table.row(report_of(schedule, k), depth);
    const Step& step = schedule.steps[k];
    if (const Strip* strip = step.strip.get()) {
      table.note(
          depth,
          fmt::format("{} rows of {} x {} at a time:", strip->block, strip->matrices, strip->rows));
      for (const Step& part : strip->steps) table.row(report_of(schedule, part), depth + 2);
    }
    if (!step.region) continue;
    const Region& region = *step.region;
    for (std::size_t p = 0; p < region.programs.size(); ++p) {
      const auto* scan = region.op.as<ops::Scan>();
      table.note(depth,
                 scan                             ? fmt::format("{} times:", scan->length)
                 : region.op.as<ops::Cond>()      ? fmt::format("case {}:", p)
                 : p + 1 < region.programs.size() ? "while:"
                                                  : "each time:");
      add_steps(table, *region.programs[p], depth + 2);
    }
  }
}

}  // namespace

StepReport report_of(const Schedule& schedule, std::size_t number) {
  const Step& step = schedule.steps[number];
  StepReport report = step.strip ? report_of_strip(schedule, step) : report_of(schedule, step);
  if (step.kind == Cut::Kind::copy) report.writes = copied_type(schedule, number);
  return report;
}

std::string short_list(const std::vector<std::string>& operations, std::size_t most) {
  std::vector<std::string> words;
  for (std::size_t k = 0, run = 0; k < operations.size(); k += run) {
    for (run = 1; k + run < operations.size() && operations[k + run] == operations[k];) ++run;
    words.push_back(run == 1 ? operations[k] : fmt::format("{}_x{}", operations[k], run));
  }
  std::string text;
  for (std::size_t k = 0; k < words.size(); ++k) {
    const std::string more = fmt::format(" +{}", words.size() - k);
    const bool last = k + 1 == words.size();
    if (k > 0 && text.size() + 1 + words[k].size() + (last ? 0 : more.size()) > most)
      return text + more;
    text += (k ? " " : "") + words[k];
  }
  return text.substr(0, most);
}

std::string short_line(const Site& site) {
  const std::string_view path = site.file_name();
  if (path.empty()) return {};
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), site.line());
}

std::string table_of(const Schedule& schedule) {
  Table table;
  add_steps(table, schedule, 0);
  table.sum(work_of(schedule));
  return table.text();
}

std::string table_of(const Graph& graph) {
  Table table;
  Work sum;
  for (const Operation& o : graph.operations()) {
    const TypeList results = graph.result_types(o);
    StepReport report{"reference",
                      {std::string(o.op.name())},
                      o.site,
                      Types(results.begin(), results.end()),
                      {},
                      {}};
    for (const Type& type : graph.operand_types(o))
      report.work.read += static_cast<double>(bytes_of(type));
    for (const Type& type : results) report.work.written += static_cast<double>(bytes_of(type));
    sum.read += report.work.read;
    sum.written += report.work.written;
    table.row(report, 0);
  }
  table.sum(sum);
  return table.text();
}

}  // namespace fluxion::codegen
