#!/usr/bin/env python3
"""What environment variables make a program write: dump PROGRAM, perf PROGRAM; what GDB sees: gdb PROGRAM."""
import os, pathlib, re, subprocess, sys, tempfile

# Compiles x - y, an absolute value and a maximum behind a matrix product.
CASE = "explain shows the kernels and library calls*"
# Compiles and runs sin and exp on many elements.
RUN = "the parts of a kernel that threads share*"


def run(program, case, **variables):
    process = subprocess.Popen([program, case], env=os.environ | variables, stdout=subprocess.PIPE, text=True)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    return process.pid


def dump(program):
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder) / "made" / "here"
        run(program, CASE, FLUXION_DUMP=str(made))
        names = sorted(path.name for path in made.iterdir())
        hashes = {name[:16] for name in names}
        assert len(hashes) == 1, names
        stages = [name[17:] for name in names]
        assert stages == ["00-traced.txt", "01-inline.txt", "02-simplify.txt", "03-sums.txt", "04-arrange.txt", "05-split.txt",
                          "06-parts.txt", "07-cse.txt", "08-dce.txt", "09-cuts.txt", "10-schedule.txt", "11-kernels.txt", "12-llvm.ll",
                          "13-assembly.s"], stages
        text = {name[17:]: (made / name).read_text() for name in names}
        assert re.search(r"= dot_general.*// explain_test.cpp:\d+", text["00-traced.txt"]), text["00-traced.txt"]
        assert re.match(r"// dce: \d+ us\n", text["08-dce.txt"]), text["08-dce.txt"]
        assert re.match(r"leaf dot_general: %0 %1 -> %\d+\n", text["09-cuts.txt"]), text["09-cuts.txt"]
        assert "kernel  sub abs reduce  explain_test.cpp:" in text["10-schedule.txt"], text["10-schedule.txt"]
        assert " -> arena[0, 65536]\n" in text["10-schedule.txt"], text["10-schedule.txt"]
        assert "f32 abs" in text["11-kernels.txt"], text["11-kernels.txt"]
        assert "define" in text["12-llvm.ll"], text["12-llvm.ll"]
        assert ".text" in text["13-assembly.s"], text["13-assembly.s"]


def perf_map(program):
    path = pathlib.Path(f"/tmp/perf-{run(program, RUN, FLUXION_PERF_MAP='1')}.map")
    try:
        return path.read_text().splitlines()
    finally:
        path.unlink()


def perf(program):
    lines = perf_map(program)
    for line in lines:
        assert re.fullmatch(r"[0-9a-f]+ [1-9a-f][0-9a-f]* fluxion_\d+_\w+_phase\d+", line), line
    assert any(line.endswith("_sin_exp_phase0") for line in lines), lines


def gdb(program):
    """A breakpoint at a function that does not exist yet, and a stack with its name. Skipped (77) where processes may
    not be traced."""
    name = next(line.split()[2] for line in perf_map(program) if line.endswith("_sin_exp_phase0"))
    commands = ["set confirm off", "set debuginfod enabled off", "set breakpoint pending on", f"break {name}",
                f"run '{RUN}'", "backtrace", "kill", "quit"]
    words = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-batch", "-nx", *words, program], capture_output=True, text=True)
    if "ptrace" in done.stderr:
        sys.exit(77)
    assert re.search(rf"^#0 .* in {name} \(\)$", done.stdout, re.M), done.stdout + done.stderr
    assert re.search(r"^#\d+ .*fluxion::runtime::", done.stdout, re.M), done.stdout + done.stderr


{"dump": dump, "gdb": gdb, "perf": perf}[sys.argv[1]](sys.argv[2])
