// Many small jobs in several processes: a job that crashes is one failed job.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace fluxion::tools {

/// What a job left: a text, or how its process died.
struct Outcome {
  std::string text;
  bool crashed = false;
};
/// Runs job(i) for i in [0, count) in `processes` child processes, and gives what each left. A
/// child that takes longer than `seconds` for one job is ended.
std::vector<Outcome> run_in_processes(std::size_t count,
                                      int processes,
                                      int seconds,
                                      const std::function<std::string(std::size_t)>& job);

}  // namespace fluxion::tools
