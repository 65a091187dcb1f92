// The order of the passes, and the loop that runs, times, verifies and writes them down.
#include "trace/passes.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

namespace fluxion {
namespace {

constexpr Pass table[] = {
    {"inline", inline_calls},
    {"simplify", simplify},
    {"sums", sum_products_after_loops},
    {"arrange", arrange_dots},
    {"split", split_large_reductions},
    {"parts", split_many_updates},
    {"cse", share_equal_operations},
    {"dce", drop_unused_operations},
};

bool verifying() {
#ifdef NDEBUG
  static const bool asked = std::getenv("FLUXION_VERIFY") != nullptr;
  return asked;
#else
  return true;
#endif
}

/// <folder>/<hash of the program>-<number>-<pass>.txt; a folder that cannot be made or written is
/// ignored.
void dump(std::string_view folder,
          std::uint64_t program,
          std::size_t number,
          std::string_view pass,
          const Graph& graph,
          double microseconds) {
  std::ofstream file(fmt::format("{}/{:016x}-{:02}-{}.txt", folder, program, number, pass));
  file << fmt::format("// {}: {:.0f} us\n", pass, microseconds) << to_string(graph, true);
}

}  // namespace

std::span<const Pass> passes() { return table; }

GraphRef optimize(const GraphRef& graph) {
  static const char* const folder = std::getenv("FLUXION_DUMP");
  const std::uint64_t program = graph->hash();
  if (folder) {
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    dump(folder, program, 0, "traced", *graph, 0);
  }
  GraphRef current = graph;
  for (std::size_t k = 0; k < std::size(table); ++k) {
    const auto begin = std::chrono::steady_clock::now();
    current = table[k].run(current);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
    if (verifying()) verify(*current);
    if (folder) dump(folder, program, k + 1, table[k].name, *current, time.count());
  }
  return current;
}

}  // namespace fluxion
