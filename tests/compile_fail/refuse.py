#!/usr/bin/env python3
"""Passes when a wrong program is refused, and the first error that the compiler shows is the one its first line expects."""
import re, subprocess, sys

compiler, folder, program = sys.argv[1:]
with open(program) as file:
    first = file.readline()
if not first.startswith("// EXPECT: ") or not first[11:].strip():
    sys.exit(f"{program}: the first line must be `// EXPECT: ` and a regular expression")
run = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-fdiagnostics-color=never", "-I", folder, program],
                     text=True, capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
if run.returncode == 0:
    sys.exit(f"{program}: compiles, but must be refused")
errors = [line for line in run.stderr.splitlines() if "error: " in line]
print(errors[0] if errors else run.stderr)
if not errors or not re.search(first[11:].strip(), errors[0]):
    sys.exit(f"{program}: the first error does not match {first[11:].strip()}")
