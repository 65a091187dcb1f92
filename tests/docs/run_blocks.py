#!/usr/bin/env python3
"""Compiles and runs the C++ blocks of a Markdown page.

A block is marked by the words after its three backticks:
  cpp               with a `main`: a program, which is run. Without: a part of a file, or the body of a function; compiled.
  cpp runs          the body of a function, which is run and must not throw.
  cpp throws CODE   the body of a function that must throw fx::Error CODE.
A `text` block right below a block that is run is what it prints; below `throws`, it is the error's text.
"""
import argparse, concurrent.futures, dataclasses, pathlib, subprocess, sys, tempfile

PREAMBLE = """#include <fluxion/fluxion.hpp>
#include <fluxion/nn.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>
namespace fx = fluxion;
namespace nn = fx::nn;
using fx::Array;
"""
# One program holds all bodies of a page and runs the one it is asked for. A body's first line is program.cpp:1.
DRIVER = """
#line 1 "driver.cpp"
int main(int, char** words) {
  const std::string wanted = words[1];
  try {
%s
  } catch (const fx::Error& error) {
    std::cout << error.what() << '\\n';
    std::cerr << error.code();
    return 3;
  }
  return 0;
}
"""


@dataclasses.dataclass
class Block:
    line: int
    words: list
    text: str
    output: str | None = None

    def is_body(self):
        return self.words[1:2] in (["runs"], ["throws"])


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
    """The includes of a body must leave the function that its rest becomes; the lines keep their numbers."""
    lines = text.split("\n")
    includes = [line for line in lines if line.startswith("#include")]
    return "\n".join(includes) + "\n", "\n".join("" if line.startswith("#include") else line for line in lines)


def trimmed(text):
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


class Page:
    def __init__(self, options, folder):
        self.path, self.options, self.folder = options.page, options, folder
        self.blocks = blocks(self.path)

    def compile(self, name, text, link):
        """None, or the compiler's complaint."""
        source, library = self.folder / f"{name}.cpp", self.options.library
        source.write_text(text)
        command = [self.options.compiler, "-std=c++20", "-O0", "-w", "-I", str(self.options.root / "include"),
                   "-I", str(self.options.root), str(source)]
        command += ["-o", str(self.folder / name), str(library), f"-Wl,-rpath,{library.parent}"] if link else ["-fsyntax-only"]
        run = subprocess.run(command, text=True, capture_output=True)
        if run.returncode == 0:
            return None
        return "\n".join(line for line in run.stderr.splitlines() if "error" in line or "undefined" in line)[:2000]

    def run(self, block, *command):
        run = subprocess.run([str(word) for word in command], text=True, capture_output=True, cwd=self.folder, timeout=120)
        if block.words[1:2] == ["throws"]:
            if run.returncode == 0:
                return "should have thrown, and did not"
            if run.returncode != 3 or run.stderr != block.words[2]:
                return f"should have thrown {block.words[2]}, and did this:\n{run.stdout}{run.stderr}"
        elif run.returncode != 0:
            return f"ends with {run.returncode}:\n{run.stdout}{run.stderr}"
        if block.output is not None and trimmed(run.stdout) != trimmed(block.output):
            return f"prints\n{run.stdout}\nand the page says\n{block.output}"
        return None

    def bodies(self):
        """Compiles all bodies as one program, and runs each. Gives (block, complaint) of those that fail."""
        chosen = [block for block in self.blocks if block.is_body()]
        if not chosen:
            return
        parts = {block.line: split_includes(block.text) for block in chosen}
        text = PREAMBLE + "".join(includes for includes, _ in parts.values())
        for line, (_, body) in parts.items():
            text += f'namespace block{line} {{ void body() {{\n#line 1 "program.cpp"\n{body}}} }}\n'
        text += DRIVER % "\n".join(f'    if (wanted == "{line}") block{line}::body();' for line in parts)
        if self.compile("bodies", text, True):
            for block in chosen:   # one by one, to name those that do not compile
                includes, body = parts[block.line]
                text = f'{PREAMBLE}{includes}void body() {{\n#line {block.line + 1} "{self.path}"\n{body}}}\n'
                yield block, self.compile(f"body{block.line}", text, False)
            return
        for block in chosen:
            yield block, self.run(block, self.folder / "bodies", block.line)

    def program(self, block):
        """A program, a part of a file, or the body of a function that is only compiled."""
        name, mark = f"block{block.line}", f'#line {block.line + 1} "{self.path}"\n'
        if "int main(" in block.text:
            lead = "" if "#include <fluxion/" in block.text else PREAMBLE
            complaint = self.compile(name, lead + mark + block.text, True)
            return f"does not compile:\n{complaint}" if complaint else self.run(block, self.folder / name)
        includes, body = split_includes(block.text)
        first = self.compile(name, PREAMBLE + includes + mark + body, False)
        if not first:
            return None
        second = self.compile(name, PREAMBLE + includes + "void block() {\n" + mark + body + "}\n", False)
        return f"does not compile:\n{first}\n-- nor as the body of a function:\n{second}" if second else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("page", type=pathlib.Path)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        page = Page(parser.parse_args(), pathlib.Path(folder))
        rest = [block for block in page.blocks if not block.is_body()]
        results = list(page.bodies()) + list(zip(rest, pool.map(page.program, rest)))
    bad = [(block, complaint) for block, complaint in results if complaint]
    for block, complaint in bad:
        print(f"{page.path}:{block.line}: {complaint}\n")
    print(f"{page.path.name}: {len(page.blocks)} blocks, {len(bad)} wrong")
    sys.exit(bool(bad))


main()
