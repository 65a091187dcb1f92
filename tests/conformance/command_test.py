#!/usr/bin/env python3
"""The `fluxion` command: what it prints, and when it fails. Programs and expectations are written out here."""
import pathlib, struct, subprocess, sys, tempfile

command = sys.argv[1]
ADD = """module @m {
  func.func public @main() -> tensor<2xf32> {
    %0 = call @inputs() : () -> tensor<2xf32>
    %1 = call @expected() : () -> tensor<2xf32>
    %2 = stablehlo.add %0, %0 : tensor<2xf32>
    stablehlo.custom_call @check.expect_RULE(%2, %1) {has_side_effect = true} : (tensor<2xf32>, tensor<2xf32>) -> ()
    return %2 : tensor<2xf32>
  }
  func.func private @inputs() -> tensor<2xf32> {
    %cst = stablehlo.constant dense<[1.0, 2.0]> : tensor<2xf32>
    return %cst : tensor<2xf32>
  }
  func.func private @expected() -> tensor<2xf32> {
    %cst = stablehlo.constant dense<EXPECTED> : tensor<2xf32>
    return %cst : tensor<2xf32>
  }
}
"""
PROGRAM = "func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n  %0 = stablehlo.multiply %x, %x : tensor<2xf32>\n  return %0 : tensor<2xf32>\n}\n"
bad = []


def run(*words):
    done = subprocess.run([command, *map(str, words)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def expect(what, condition, seen):
    if not condition:
        bad.append(f"{what}: {seen}")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)

    def conform(files, *words):
        for old in folder.glob("*.mlir"):
            old.unlink()
        for file, text in files.items():
            (folder / file).write_text(text)
        return run("conform", *words, folder)

    good = ADD.replace("EXPECTED", "[2.0, 4.0]").replace("RULE", "eq")
    wrong = ADD.replace("EXPECTED", "[2.0, 4.1]").replace("RULE", "close")
    near = ADD.replace("EXPECTED", "[2.0, 4.00000143]").replace("RULE", "close")     # 3 units in the last place
    far = ADD.replace("EXPECTED", "[2.0, 4.00000191]").replace("RULE", "close")      # 4 units
    for mode in [], ["--eager"], ["--interpret"]:
        seen = conform({"add_float32_2.mlir": good, "add_float32_3.mlir": near}, *mode)
        expect("programs that pass", seen[0] == 0 and seen[1].endswith("\n2 passed, 0 failed\n"), seen)
    seen = conform({"add_float32_2.mlir": good, "add_float64_2.mlir": wrong, "sub_float32.mlir": far})
    expect("programs that fail", seen[0] == 1 and seen[1].endswith("\n1 passed, 2 failed\n"), seen)
    expect("the average over families", "average over 2 families: 25.00 %" in seen[1], seen)
    expect("what differs", "1 of 2 elements of f32[2] differ (close); element 1 is 4, expected 4.0999999046325684" in seen[1], seen)
    seen = conform({"add_float32_2.mlir": good, "b_float32.mlir": "// RUN-DISABLED(inaccurate)\n" + wrong})
    expect("disabled programs are not counted", seen[0] == 0 and "failed  b_float32.mlir" in seen[1] and seen[1].endswith("1 passed, 0 failed\n"), seen)
    seen = conform({"add_float32_2.mlir": good}, "--expect-at-least", "2")
    expect("too few files", seen[0] == 2 and "found 1 files, and at least 2 are expected" in seen[2], seen)
    seen = conform({})
    expect("no files", seen[0] == 2 and "no .mlir file was found" in seen[2], seen)
    seen = run("conform", folder / "nowhere")
    expect("no such folder", seen[0] == 2 and "there is no such file or folder" in seen[2], seen)
    seen = conform({"a.mlir": "module {", "b.mlir": "", "c.mlir": good.replace("@check.expect_eq", "@check.expect_like")})
    expect("files that are no programs", seen[0] == 1 and seen[1].endswith("0 passed, 3 failed\n") and "stablehlo-syntax" in seen[1] and "is empty" in seen[1] and "the check like is not known" in seen[1], seen)
    seen = conform({"a.mlir": good.replace("    stablehlo.custom_call", "    // ")})
    expect("a program that checks nothing", seen[0] == 1 and "the program checks nothing" in seen[1], seen)

    (folder / "square.mlir").write_text(PROGRAM)
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
    (folder / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<2f", 3, -4))
    seen = run("run", folder / "square.mlir", folder / "x.npy")
    expect("running a program", seen[0] == 0 and seen[1] == "[ 9. 16.]\n", seen)
    seen = run("run", folder / "square.mlir", folder / "x.npy", "--output", folder / "y")
    expect("writing results", seen[0] == 0 and (folder / "y.npy").read_bytes()[-8:] == struct.pack("<2f", 9, 16), seen)
    seen = run("run", folder / "square.mlir")
    expect("too few arguments", seen[0] == 2 and "the program takes 1 arguments, not 0" in seen[2], seen)
    seen = run("run", folder / "none.mlir")
    expect("no such program", seen[0] == 2 and "none.mlir" in seen[2], seen)
    seen = run("devices")
    expect("devices", seen[0] == 0 and seen[1].startswith("cpu: "), seen)
    expect("no command", run()[0] != 0, run())

print("\n".join(bad) or "ok")
sys.exit(bool(bad))
