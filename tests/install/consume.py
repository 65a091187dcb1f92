#!/usr/bin/env python3
"""Installs the package into a temporary prefix, builds the consumer against it in a temporary folder, and runs it."""
import argparse, pathlib, re, shutil, subprocess, sys, tempfile

FOREIGN = re.compile(r"#\s*include\s*<(fmt|llvm|dnnl|oneapi|nlohmann|CLI)")


def run(*command, cwd=None):
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], cwd=cwd, check=True)


parser = argparse.ArgumentParser()
parser.add_argument("--cmake", required=True)
parser.add_argument("--build", type=pathlib.Path, required=True)
parser.add_argument("--compiler", required=True)
options = parser.parse_args()

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    prefix, project = folder / "prefix", folder / "consumer"
    run(options.cmake, "--install", options.build, "--prefix", prefix)
    shutil.copytree(pathlib.Path(__file__).parent / "consumer", project)
    for path in prefix.rglob("*.hpp"):
        if match := FOREIGN.search(path.read_text()):
            sys.exit(f"{path}: an installed header opens {match[1]}, which a user need not have")
    for path in prefix.rglob("*.cmake"):
        if re.search(r"LLVM|dnnl|fmt::", path.read_text()):
            sys.exit(f"{path}: the package names a library that it should keep to itself")
    run(options.cmake, "-S", project, "-B", folder / "out", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={options.compiler}")
    run(options.cmake, "--build", folder / "out", "--parallel", "2")
    run("ctest", "--output-on-failure", cwd=folder / "out")
