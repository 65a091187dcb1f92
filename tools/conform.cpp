// `fluxion conform`: self-checking programs, run and counted.
#include "fluxion/fluxion.hpp"
#include "interop/stablehlo_test.hpp"
#include "tools/commands.hpp"
#include "tools/workers.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <thread>

namespace fluxion::tools {
namespace {

namespace fs = std::filesystem;

/// Files as they are, folders with every .mlir file below them; sorted, each once.
std::vector<fs::path> files_of(const std::vector<std::string>& paths) {
  std::set<fs::path> out;
  for (const std::string& path : paths) {
    if (fs::is_directory(path)) {
      for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
        if (entry.is_regular_file() && entry.path().extension() == ".mlir")
          out.insert(entry.path());
    } else if (fs::exists(path)) {
      out.insert(path);
    } else {
      throw std::runtime_error(path + ": there is no such file or folder");
    }
  }
  return {out.begin(), out.end()};
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) throw std::runtime_error("cannot be read");
  if (text.empty()) throw std::runtime_error("is empty or cannot be read");
  return text;
}

bool disabled(const std::string& text) {
  return text.substr(0, text.find('\n')).find("RUN-DISABLED") != std::string::npos;
}

/// "" where the program passes; a program that is disabled upstream has a '-' before that.
std::string outcome(const fs::path& path, Mode mode) {
  std::string mark;
  try {
    const std::string text = text_of(path);
    if (disabled(text)) mark = "-";
    const stablehlo::TestProgram program(text);
    const std::vector<Array> results =
        mode == Mode::eager
            ? program(program.inputs())
            : jit([&](std::vector<Array> inputs) { return program(inputs); })(program.inputs());
    return mark + program.differences(results);
  } catch (const std::exception& e) {
    std::string what = e.what();
    return mark + (what.empty() ? "an error without a text" : what);
  }
}

/// The name up to its first dtype: scatter_add of scatter_add_float32_3_2.
std::string family_of(const fs::path& path) {
  static constexpr std::string_view words[] = {
      "bool", "int", "uint", "float", "bfloat", "complex", "dtype", "shape"};
  const std::string name = path.stem().string();
  std::string out;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('_', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    const std::string letters = part.substr(0, part.find_first_of("0123456789"));
    if (!out.empty() && std::find(std::begin(words), std::end(words), letters) != std::end(words))
      break;
    out += (out.empty() ? "" : "_") + part;
    begin = end + 1;
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

std::string indented(std::string text) {
  for (std::size_t i = text.find('\n'); i != text.npos; i = text.find('\n', i + 1))
    text.insert(i + 1, "    ");
  return text;
}

}  // namespace

int conform(const ConformOptions& options) {
  std::vector<fs::path> files = files_of(options.paths);
  const std::size_t found = files.size();
  if (found == 0) throw std::runtime_error("no .mlir file was found");
  if (found < options.expect_at_least)
    throw std::runtime_error("found " + std::to_string(found) + " files, and at least " +
                             std::to_string(options.expect_at_least) + " are expected");
  if (options.parts > 1) {
    std::vector<fs::path> mine;
    for (std::size_t i = static_cast<std::size_t>(options.part); i < found;
         i += static_cast<std::size_t>(options.parts))
      mine.push_back(files[i]);
    files = std::move(mine);
  }
  const auto begin = std::chrono::steady_clock::now();
  const int processes = options.jobs > 0
                            ? options.jobs
                            : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const std::vector<Outcome> outcomes = run_in_processes(
      files.size(), processes, 300, [&](std::size_t i) { return outcome(files[i], options.mode); });
  std::size_t passed = 0, failed = 0;
  std::vector<std::string> set_apart;
  std::map<std::string, std::pair<double, double>> families;
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::string text = outcomes[i].text;
    bool apart = !outcomes[i].crashed && text.starts_with('-');
    if (outcomes[i].crashed)
      apart = disabled(text_of(files[i]));
    else if (apart)
      text.erase(0, 1);
    const bool fine = text.empty();
    if (apart) {
      set_apart.push_back((fine ? "passed  " : "failed  ") + files[i].filename().string() +
                          (fine ? "" : "\n    " + indented(text)));
      continue;
    }
    auto& [good, all] = families[family_of(files[i])];
    good += fine;
    all += 1;
    (fine ? passed : failed) += 1;
    if (!fine)
      std::printf("failed  %s\n    %s\n", files[i].filename().c_str(), indented(text).c_str());
    else if (options.verbose)
      std::printf("passed  %s\n", files[i].filename().c_str());
  }
  if (!set_apart.empty()) std::printf("disabled upstream, not counted:\n");
  for (const std::string& line : set_apart) std::printf("  %s\n", line.c_str());
  double average = 0;
  for (const auto& [name, count] : families) average += count.first / count.second;
  if (!families.empty()) average /= static_cast<double>(families.size());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  for (const auto& [name, count] : families)
    if (count.first < count.second)
      std::printf("family  %s: %.0f of %.0f\n", name.c_str(), count.first, count.second);
  std::printf("average over %zu families: %.2f %%; %.1f s in %d processes\n",
              families.size(),
              100 * average,
              seconds,
              processes);
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace fluxion::tools
