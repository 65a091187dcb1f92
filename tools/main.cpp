// The `fluxion` command.
#include "tools/commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

int main(int count, char** words) {
  using namespace fluxion::tools;
  CLI::App app("Fluxion: programs on arrays, traced, transformed, compiled");
  app.require_subcommand(1);

  ConformOptions conforming;
  bool eager = false, interpret = false;
  CLI::App& conform_command =
      *app.add_subcommand("conform", "Run StableHLO's self-checking programs");
  conform_command.add_option("paths", conforming.paths, "Files, or folders of .mlir files")
      ->required();
  conform_command.add_flag("--eager", eager, "Run operations lazily outside jit");
  conform_command.add_flag("--interpret",
                           interpret,
                           "Run through the references of operations instead of compiled kernels");
  conform_command.add_option(
      "--expect-at-least", conforming.expect_at_least, "Fail where fewer files are found");
  conform_command
      .add_option("--jobs", conforming.jobs, "Processes (default: one for each processor)")
      ->check(CLI::Range(1, 256));
  conform_command
      .add_option("--part", conforming.part, "Run only every PARTS-th file, from this one")
      ->check(CLI::NonNegativeNumber);
  conform_command.add_option("--parts", conforming.parts, "How many parts there are")
      ->check(CLI::PositiveNumber);
  conform_command.add_flag("--verbose", conforming.verbose, "Name the programs that pass, too");

  RunOptions running;
  CLI::App& run_command = *app.add_subcommand("run", "Run one StableHLO program");
  run_command.add_option("program", running.program, "The program's file")->required();
  run_command.add_option("inputs", running.inputs, "Its arguments, as .npy files");
  run_command.add_option("--entry", running.entry, "The function to run (default: main)");
  run_command.add_option(
      "--output",
      running.output,
      "Write results to OUTPUT.npy (OUTPUT.0.npy, ...) instead of printing them");
  run_command.add_flag("--print-program",
                       running.print_program,
                       "Print the program as this library sees it, and do not run it");

  CLI::App& devices_command =
      *app.add_subcommand("devices", "List what this build and machine offer");

  CLI11_PARSE(app, count, words);
  try {
    if (devices_command.parsed()) return devices();
    if (run_command.parsed()) return run(running);
    if (conforming.part >= conforming.parts)
      throw std::runtime_error("--part counts from 0 to --parts - 1");
    if (eager && interpret) throw std::runtime_error("--eager and --interpret exclude each other");
    conforming.mode = eager ? Mode::eager : interpret ? Mode::interpreted : Mode::compiled;
    if (interpret) ::setenv("FLUXION_INTERPRET", "1", 1);  // before the library looks
    return conform(conforming);
  } catch (const std::exception& e) {
    std::cerr << "fluxion: " << e.what() << '\n';
    return 2;
  }
}
