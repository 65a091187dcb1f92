// The commands of the command line; each gives the exit status.
#pragma once
#include <string>
#include <vector>

namespace fluxion::tools {

enum class Mode { compiled, eager, interpreted };

struct ConformOptions {
  std::vector<std::string> paths;
  Mode mode = Mode::compiled;
  std::size_t expect_at_least = 0;
  int jobs = 0;  // 0: one for each processor
  int part = 0, parts = 1;
  bool verbose = false;
};
/// Runs StableHLO's self-checking programs; 0 where all that are enabled passed.
int conform(const ConformOptions&);

struct RunOptions {
  std::string program, entry = "main", output;
  std::vector<std::string> inputs;
  bool print_program = false;
};
/// Runs one StableHLO program on arrays from files.
int run(const RunOptions&);

/// Lists what this build and machine offer.
int devices();

}  // namespace fluxion::tools
