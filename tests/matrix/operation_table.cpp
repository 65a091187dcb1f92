// The table of primitives in the manual: what the rows of the matrix showed of each.
// FLUXION_WRITE_TABLES=1 writes it anew.
#include "tests/matrix/samples.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

using namespace fluxion;
using namespace fluxion::test;

namespace {

/// What was seen of one primitive.
struct Seen {
  std::set<std::string> dtypes;
  bool differentiated = false, batched = false, transposed = false;
  double worst = 0;
};
using Table = std::map<std::string, Seen>;

void record(Table& table, const Graph& graph) {
  for (const Operation& operation : graph.operations()) {
    Seen& seen = table[std::string(operation.op.name())];
    seen.transposed |= operation.op.transposable();
    for (const Type& type : graph.result_types(operation)) {
      std::ostringstream name;
      name << type.dtype;
      seen.dtypes.insert(name.str());
    }
    for (const Graph* region : operation.op.regions()) record(table, *region);
  }
}

/// The operations of a program and of the programs that they hold.
void visit(const Graph& graph, const std::function<void(Seen&)>& f, Table& table) {
  for (const Operation& operation : graph.operations()) {
    f(table[std::string(operation.op.name())]);
    for (const Graph* region : operation.op.regions()) visit(*region, f, table);
  }
}

Table made() {
  Table table;
  for (const Sample& row : all_samples()) {
    for (DType dtype : row.dtypes) {
      const bool mapped = dtype == float64 || dtype == int32 ||
                          dtype == complex128;  // as the laws of batches are asked
      for (const SampleCase& operands : row.cases) {
        const GraphRef graph = sample_program(row, operands, dtype);
        record(table, *graph);
        if (mapped) visit(*graph, [](Seen& seen) { seen.batched = true; }, table);
      }
    }
    const auto wide = std::find_if(row.dtypes.begin(), row.dtypes.end(), [](DType d) {
      return d == float64 || d == complex128;
    });
    if (wide == row.dtypes.end()) continue;
    for (const SampleCase& operands : row.cases) {
      std::int64_t count = 0;
      for (const SampleOperand& o : operands) count += element_count(o.shape);
      if (count == 0 || count > 12) continue;
      const GraphRef graph = sample_program(row, operands, *wide);
      for (const GraphRef& g : transformed_programs(graph)) record(table, *g);
      double worst = 0;
      const bool asked = row.exception(SampleLaw::differences) == nullptr;
      if (asked) law_of_differences(graph, sample_operands(operands, *wide, 0), &worst);
      visit(
          *graph,
          [&](Seen& seen) {
            seen.differentiated |= asked;
            if (asked) seen.worst = std::max(seen.worst, worst);
          },
          table);
    }
  }
  return table;
}

/// One line of the page. The error is rounded up to a power of ten: the next digit depends on the
/// processor.
std::string line(const std::string& name, const Seen& seen) {
  const std::string worst =
      seen.differentiated
          ? fmt::format("1e{:+03d}",
                        static_cast<int>(std::ceil(std::log10(std::max(seen.worst, 1e-16)))))
          : "";
  std::string dtypes;
  for (const std::string& d : seen.dtypes) dtypes += (dtypes.empty() ? "" : " ") + d;
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |",
                     name,
                     seen.differentiated ? "yes" : "",
                     seen.transposed ? "yes" : "",
                     seen.batched ? "yes" : "",
                     dtypes,
                     worst);
}

constexpr const char* page_head = R"(# Primitives

Made by `tests/matrix/operation_table.cpp` from the rows of the test matrix (`FLUXION_WRITE_TABLES=1` writes it anew); the test fails when this
page says something else than what the rows show.

*jvp*: its derivative was compared with central differences in float64 (complex128), in rows that have it. *transpose*: it has a rule for cotangents
(all other derivatives are made of operations that have one). *batch*: it was mapped along every axis of every operand. *error*: the largest
difference between its derivative and central differences, relative to the scale of the Jacobian, rounded up to a power of ten; that is
the error of the differences rather than of the derivative. A row may hold several primitives, so the error is that of their
composition. Operations of the host (callbacks, prints, checks), custom rules and checkpoints have tests of their own, and collectives are gone
once a map has been recorded; they are not listed. `while` has forward mode only: `tests/transforms/control_flow_test.cpp` compares it with loops
that are written out.

| primitive | jvp | transpose | batch | dtypes of results | error |
|---|---|---|---|---|---|
)";

/// Primitives that no row can show, each with its reason.
const std::map<std::string, std::string>& elsewhere() {
  static const std::map<std::string, std::string> names = {
      {"all_reduce", "collective"},
      {"axis_index", "collective"},
      {"ppermute", "collective"},
      {"reduce_scatter", "collective"},
      {"all_gather", "collective"},
      {"all_to_all", "collective"},
      {"pure_callback", "host"},
      {"io_callback", "host"},
      {"check", "host"},
      {"debug_print", "host"},
      {"checkpoint", "rule_laws_test"},
      {"custom_vmap", "rule_laws_test"},
      {"custom_vjp", "rule_laws_test"},
      {"custom_vjp_linear", "made by custom_vjp's derivative"},
      {"no_derivative", "made by a rule without one"},
      {"linear_solve", "implicit_test"},
      {"root", "implicit_test"},
      {"optimization_barrier", "checkpoint_test"},
  };
  return names;
}

}  // namespace

TEST_CASE("the manual's table of primitives says what the matrix shows") {
  const Table table = made();
  const std::string path = std::string(FLUXION_SOURCE_DIR) + "/docs/operations.md";
  const char* write = std::getenv("FLUXION_WRITE_TABLES");
  if (write && *write == '1') {
    std::ofstream page(path);
    page << page_head;
    for (const auto& [name, seen] : table) page << line(name, seen) << '\n';
    std::string reasons;
    for (const Sample& row : all_samples())
      for (const auto& [law, reason] : row.exceptions)
        reasons += fmt::format("| {} | {} | {} |\n",
                               row.name,
                               law == SampleLaw::differences ? "2"
                               : law == SampleLaw::adjoints  ? "3, 4"
                                                             : "6",
                               reason);
    page << "\n## Laws that are not asked of a row\n\nThe numbers are those of the laws: 2 "
            "differences, 3 and 4 adjoints, 6 higher orders.\n\n| row | law | reason "
            "|\n|---|---|---|\n"
         << reasons;
  }
  std::ifstream page(path);
  REQUIRE(page);
  std::map<std::string, std::string> written;
  for (std::string text; std::getline(page, text);)
    if (text.rfind("| `", 0) == 0) written[text.substr(3, text.find('`', 3) - 3)] = text;
  for (const auto& [name, seen] : table) {
    INFO(name << "\n  page:   " << written[name] << "\n  matrix: " << line(name, seen));
    const auto without_error = [](const std::string& s) {
      return s.substr(0, s.rfind('|', s.size() - 2));
    };
    CHECK(without_error(written[name]) == without_error(line(name, seen)));
  }
}

TEST_CASE("every primitive has rows") {
  const Table table = made();
  for (const Rules* rules : known_operations()) {
    const std::string name(rules->name);
    INFO("no row records " << name);
    CHECK((table.count(name) == 1 || elsewhere().contains(name)));
  }
}
