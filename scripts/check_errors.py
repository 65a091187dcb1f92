#!/usr/bin/env python3
"""Fails when an error code of the library has no section in docs/errors.md, or a section has no code."""
import pathlib, re, sys

FOLDERS = ["include", "trace", "transforms", "codegen", "runtime", "nn", "interop"]
THROWN = re.compile(r'\b(?:fail|refuse|Error)\(\s*"([a-z0-9]+(?:-[a-z0-9]+)*)"')
WORD = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"')
SECTION = re.compile(r"^(?:### |\| `)([a-z0-9-]+)", re.M)

root = pathlib.Path(sys.argv[1])
texts = [path.read_text() for folder in FOLDERS for path in sorted((root / folder).rglob("*.[hc]pp"))]
thrown = {code for text in texts for code in THROWN.findall(text)}
words = {word for text in texts for word in WORD.findall(text)}
sections = set(SECTION.findall((root / "docs/errors.md").read_text()))
bad = [f"docs/errors.md: no section for {code}" for code in sorted(thrown - sections)]
bad += [f"docs/errors.md: {code} is no error of the library" for code in sorted(sections - words)]
if not thrown:
    bad.append("no error codes found")
print("\n".join(bad) or f"errors: {len(thrown)} ok")
sys.exit(bool(bad))
