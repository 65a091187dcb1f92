// `fluxion run` and `fluxion devices`.
#include "fluxion/fluxion.hpp"
#include "fluxion/npy.hpp"
#include "fluxion/stablehlo.hpp"
#include "tools/commands.hpp"

#include <cstdlib>
#include <iostream>

namespace fluxion::tools {

int run(const RunOptions& options) {
  const stablehlo::Program program = stablehlo::load(options.program, options.entry);
  if (options.print_program) {
    std::cout << program.function() << '\n';
    return 0;
  }
  std::vector<Array> arguments;
  for (const std::string& path : options.inputs) arguments.push_back(load_npy(path));
  const std::vector<Array> results = jit(program)(arguments);
  for (std::size_t k = 0; k < results.size(); ++k) {
    if (options.output.empty())
      std::cout << results[k] << '\n';
    else
      save_npy(options.output + (results.size() == 1 ? "" : "." + std::to_string(k)) + ".npy",
               results[k]);
  }
  return 0;
}

int devices() {
  std::cout << "cpu: " << num_threads() << (num_threads() == 1 ? " thread" : " threads") << '\n';
  return 0;
}

}  // namespace fluxion::tools
