#!/usr/bin/env python3
"""Compiles and runs the C++ blocks of a Markdown page.

A block is marked by the words after its three backticks:
  cpp               compiled; run if it has a `main`. Without one it is the body of a function, or else a part of a file.
  cpp throws CODE   the body of a function that must throw fx::Error CODE, whose text is the next `text` block.
A `text` block right below a `cpp` block that has a `main` is what the program prints.
"""
import argparse, concurrent.futures, dataclasses, pathlib, re, subprocess, sys, tempfile

PREAMBLE = """#include <fluxion/fluxion.hpp>
#include <fluxion/nn.hpp>
#include <iostream>
#include <cstdio>
#include <vector>
namespace fx = fluxion;
namespace nn = fx::nn;
using fx::Array;
"""
THROWS = """#include <string>
void block();
int main() {
  try { block(); } catch (const fx::Error& error) { std::cout << error.what() << '\\n'; return error.code() == "%s" ? 0 : 3; }
  return 4;
}
"""


@dataclasses.dataclass
class Block:
    line: int
    words: list
    text: str
    output: str | None = None


def blocks(page):
    """The C++ blocks, each with the text block that follows it with nothing but blank lines between."""
    found, fence, last = [], None, None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence is None:
            if line.startswith("```"):
                fence = Block(number, line[3:].split(), "")
            elif line.strip():
                last = None
        elif line.strip() == "```":
            if fence.words[:1] == ["cpp"]:
                found.append(fence)
                last = fence
            elif fence.words == ["text"] and last is not None:
                last.output, last = fence.text, None
            else:
                last = None
            fence = None
        else:
            fence.text += line + "\n"
    if fence is not None:
        sys.exit(f"{page}:{fence.line}: this block is never closed")
    return found


def split_includes(text):
    """The includes of a block that is no whole file must leave the function that its rest becomes."""
    lines = text.split("\n")
    includes = [line for line in lines if line.startswith("#include")]
    return "\n".join(includes) + "\n", "\n".join("" if line.startswith("#include") else line for line in lines)


def candidates(page, block):
    """The files that a block may be, in the order to try, and whether the program runs."""
    mark = f'#line {block.line + 1} "{page}"\n'
    if block.words[1:2] == ["throws"]:
        includes, body = split_includes(block.text)
        code = block.words[2]
        return [PREAMBLE + includes + THROWS % code + "void block() {\n" + mark + body + "}\n"], True
    if "int main(" in block.text:
        lead = "" if "#include <fluxion/" in block.text else PREAMBLE
        return [lead + mark + block.text], True
    includes, body = split_includes(block.text)
    return [PREAMBLE + includes + mark + body, PREAMBLE + includes + "void block() {\n" + mark + body + "}\n"], False


def normal(text, page):
    """Outputs compare without trailing blanks; the page's own path is not part of a message."""
    text = text.replace(str(page), page.name)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def check(options, page, block, folder):
    """None, or why the block fails."""
    files, runs = candidates(page, block)
    complaints = []
    source, program = folder / f"block{block.line}.cpp", folder / f"block{block.line}"
    for text in files:
        source.write_text(text)
        command = [options.compiler, "-std=c++20", "-O0", "-w", "-I", str(options.root / "include"), "-I", str(options.root), str(source)]
        library = options.library
        command += ["-o", str(program), str(library), f"-Wl,-rpath,{library.parent}"] if runs else ["-fsyntax-only"]
        compiled = subprocess.run(command, text=True, capture_output=True)
        if compiled.returncode == 0:
            break
        complaints.append("\n".join(line for line in compiled.stderr.splitlines() if "error" in line or "undefined" in line)[:2000])
    else:
        return "does not compile:\n" + "\n-- or, as the body of a function:\n".join(complaints)
    if not runs:
        return None
    run = subprocess.run([str(program)], text=True, capture_output=True, cwd=folder, timeout=120)
    if run.returncode == 4:
        return "should have thrown, and did not"
    if run.returncode != 0:
        return f"ends with {run.returncode}:\n{run.stdout}{run.stderr}"
    if block.output is not None and normal(run.stdout, page) != normal(block.output, page):
        return f"prints\n{run.stdout}\nand the page says\n{block.output}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("page", type=pathlib.Path)
    options = parser.parse_args()
    page, bad = options.page, 0
    found = blocks(page)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda block: check(options, page, block, pathlib.Path(folder)), found)
        for block, complaint in zip(found, results):
            if complaint:
                bad += 1
                print(f"{page}:{block.line}: {complaint}\n")
    print(f"{page.name}: {len(found)} blocks, {bad} wrong")
    sys.exit(bad > 0)


main()
