#!/usr/bin/env python3
"""Fails when a header grows past a number of lines after preprocessing: its cost in every user's file."""
import subprocess, sys

compiler, folder, header, limit = sys.argv[1:]
text = subprocess.run([compiler, "-std=c++20", "-E", "-x", "c++", "-I", folder, "-"],
                      input=f"#include <{header}>\n", text=True, capture_output=True, check=True)
lines = text.stdout.count("\n")
print(f"{header}: {lines} lines, limit {limit}")
sys.exit(lines >= int(limit))
