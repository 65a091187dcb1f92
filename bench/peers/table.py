#!/usr/bin/env python3
"""Runs every row on every side, one side at a time in alternating rounds, and prints one table, the ratio first."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
# name: (what it is, tolerance of its values relative to the mean of the absolute values)
ROWS = {
    "chain": ("10 elementwise operations, 64 MB", 1e-5),
    "softmax": ("softmax 16384x1024", 1e-5),
    "softmax_grad": ("softmax 16384x1024, gradient", 1e-5),
    "layernorm": ("layernorm 16384x1024", 1e-5),
    "layernorm_grad": ("layernorm 16384x1024, gradients", 1e-4),
    "cross_entropy_grad": ("cross-entropy 8192x2048, gradient", 1e-5),
    "rmsnorm_gelu": ("x + gelu(rmsnorm(x)) 16384x1024", 1e-5),
    "nbody": ("N-body, 2000 x 2000 pairs", 1e-4),
    "matmul_64": ("gelu(x w + b), n = 64", 1e-5),
    "matmul_256": ("gelu(x w + b), n = 256", 1e-5),
    "matmul_512": ("gelu(x w + b), n = 512", 1e-5),
    "matmul_1024": ("gelu(x w + b), n = 1024", 1e-5),
    "matmul_2048": ("gelu(x w + b), n = 2048", 1e-5),
    "matmul_bf16_64": ("gelu(x w + b) in bfloat16, n = 64", 1e-2),
    "matmul_bf16_256": ("gelu(x w + b) in bfloat16, n = 256", 1e-2),
    "matmul_bf16_1024": ("gelu(x w + b) in bfloat16, n = 1024", 1e-2),
    "matmul_f64": ("x w in float64, n = 512", 1e-12),
    "matvec_f64": ("A x in float64, n = 2048", 1e-12),
    "conv": ("conv 3x3, 16x56x56x64 to 64", 1e-5),
    "conv_grad": ("conv 3x3, both gradients", 1e-4),
    "depthwise": ("depthwise 3x3, 16x56x56x128", 1e-5),
    "depthwise_grad": ("depthwise 3x3, both gradients", 1e-4),
    "conv_transposed_1d": ("conv transposed 1-D, 16x4096x64", 1e-5),
    "attention_512": ("attention 8 heads, S = 512, d = 64", 1e-5),
    "attention_512_grad": ("attention S = 512, gradients", 1e-4),
    "attention_2048": ("attention S = 2048", 1e-5),
    "attention_2048_grad": ("attention S = 2048, gradients", 1e-4),
    "scan": ("scan, 1e6 steps of 10 operations", 1e-5),
    "scan_grad": ("scan, its gradient", 1e-4),
    "lstm": ("LSTM, 100 steps, 32 x 128", 1e-5),
    "lstm_grad": ("LSTM, gradients of its weights", 1e-4),
    "update_in_loop": ("element set in a loop, 1e5 times of 1e5", 1e-4),
    "sort": ("sort 1e6", 0),
    "argsort": ("argsort 1e6, stable", 0),
    "segment_sum": ("segment sum, 1e6 into 1e4", 1e-5),
    "inverse_3x3": ("10,000 inverses 3x3", 1e-4),
    "solve_3x3": ("10,000 solves 3x3", 1e-4),
    "argmax": ("argmax 16384x1024", 0),
    "cumsum": ("cumsum 4096x4096, rows", 1e-5),
    "tiny_call": ("a call with 8 numbers", 1e-6),
    "first_mlp_grad": ("first call: MLP gradient", 1e-4),
    "first_200_layers_grad": ("first call: gradient of 200 layers", 1e-3),
    "first_transformer_grad": ("first call: transformer block gradient", 1e-4),
    "again_mlp_grad": ("first call, code on disk: MLP gradient", 1e-4),
    "again_200_layers_grad": ("first call, code on disk: 200 layers", 1e-3),
    "again_transformer_grad": ("first call, code on disk: transformer", 1e-4),
    "cold_start": ("process start to first result", 0),
    "train_mlp": ("training step: MLP 784-256-10, batch 128", 1e-4),
    "train_cnn": ("training step: CNN 28x28, batch 128", 1e-4),
    "train_lstm": ("training step: LSTM 28 x 128, batch 64", 1e-4),
    "train_gpt": ("training step: GPT, 4 layers of 128, 4 x 128", 1e-4),
}
SIDES = ["Fluxion", "JAX", "PyTorch", "torch.compile", "NumPy", "C++"]
PEERS = SIDES[1:4]
LIBRARY_THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "FLUXION_NUM_THREADS"]


class Side:
    """One framework in a process of its own, kept to as many processors as there are threads."""

    def __init__(self, command, threads, options):
        self.command, self.threads, self.options, self.process = command, threads, options, None
        self.environment = dict(os.environ) | {name: str(threads) for name in LIBRARY_THREADS}
        self.environment |= {"TORCHINDUCTOR_CACHE_DIR": str(options.cache / "torchinductor"), "JAX_PLATFORMS": "cpu",
                             "FLUXION_CACHE": "0"}   # a first call compiles, on every side
        # They name another processor to an old OpenBLAS where they are set.
        for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
            self.environment.pop(name, None)

    def keep_to_processors(self):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-self.threads:])

    def run(self, *words, kept=None):
        """A process of its own: its output and the seconds that it took. `kept`: whether what was compiled is kept on disk."""
        environment = dict(self.environment)
        if kept is False:
            environment["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
        if kept:
            environment |= {"FLUXION_CACHE": "1", "FLUXION_CACHE_DIR": str(self.options.cache.absolute() / "fluxion"),
                            "JAX_COMPILATION_CACHE_DIR": str(self.options.cache.absolute() / "jax"),
                            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
        start = time.perf_counter()
        done = subprocess.run([*self.command, *words], env=environment, preexec_fn=self.keep_to_processors,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done, time.perf_counter() - start

    def ask(self, *words):
        if self.process is None:
            self.process = subprocess.Popen(
                self.command, env=self.environment, preexec_fn=self.keep_to_processors, text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.options.log)
        try:
            self.process.stdin.write(" ".join(words) + "\n")
            self.process.stdin.flush()
            while True:   # what a framework prints besides is no answer
                line = self.process.stdout.readline()
                if not line:
                    break
                if line.startswith("{"):
                    return json.loads(line)
        except BrokenPipeError:
            pass
        self.close()
        return {"skip": "the process died"}

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def in_own_process(name):
    return name.startswith(("first_", "again_")) or name == "cold_start"


def one_call(side, name):
    """A first call, or a cold start, in a process of its own."""
    if name == "cold_start":
        done, seconds = side.run("--cold")
        return {"skip": "it failed"} if done.returncode else {"ms": [1e3 * seconds], "values": []}
    done, _ = side.run("--first", name.replace("again_", "first_"), kept=name.startswith("again_"))
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {"skip": "it failed: " + (done.stderr.strip().splitlines() or ["?"])[-1]}


def measure_once(sides, name, options, results):
    for turn in range(options.rounds):
        for label, side in sides.items():
            if label in ("NumPy", "C++") or "skip" in results[label]:
                continue
            if label == "torch.compile" and name.startswith("first_") and turn > 0:
                continue   # it takes tens of seconds, so once
            if label == "torch.compile" and (name == "cold_start" or "200_layers" in name):
                results[label]["skip"] = "as PyTorch" if name == "cold_start" else "a minute and more"
                continue
            answer = one_call(side, name)
            if name.startswith("again_") and turn == 0 and "skip" not in answer:
                answer = one_call(side, name)   # the first filled the disk
            if "skip" in answer:
                results[label]["skip"] = answer["skip"]
            else:
                results[label]["values"] = answer["values"]
                results[label]["rounds"].append(answer["ms"])


def hopeless(results, label):
    """So much slower than ours that one round will do."""
    ours, theirs = results["Fluxion"]["rounds"], results[label]["rounds"]
    return bool(ours and theirs) and min(theirs[0]) > max(20 * min(ours[0]), 50)


def measure(sides, name, options):
    results = {label: {"rounds": []} for label in sides}
    if in_own_process(name):
        measure_once(sides, name, options, results)
        return results
    for label, side in sides.items():
        results[label] |= side.ask("setup", name)
    for turn in range(options.rounds):
        for label, side in sides.items():
            if "skip" in results[label] or turn > 0 and hopeless(results, label):
                continue
            time.sleep(0.01)   # threads of the side before stop waiting for more
            answer = side.ask("time", str(options.seconds))
            if "skip" in answer:
                results[label]["skip"] = answer["skip"]
            else:
                results[label]["rounds"].append(answer["ms"])
    return results


def disagreement(ours, theirs, tolerance):
    """The first value that differs by more than the tolerance, or nothing."""
    if len(ours) != len(theirs):
        return f"{len(theirs)} results instead of {len(ours)}"
    for k, (a, b) in enumerate(zip(ours, theirs)):
        for place, (x, y) in enumerate(zip(a, b)):
            # The mean of a signed result is what cancels; an element is compared with its own size, too.
            if not abs(x - y) <= tolerance * (abs(b[1]) + (abs(y) if place else 0)):
                return f"result {k}, value {place}: {x:.7g} and {y:.7g}"
    return None


def text(ms):
    for unit, size in (("s", 1e3), ("ms", 1), ("us", 1e-3), ("ns", 1e-6)):
        if ms >= size:
            return f"{ms / size:.3g} {unit}"
    return "0"


class Line:
    """One row on so many threads: what the table prints of it."""

    def __init__(self, name, threads, results):
        self.name, self.threads, self.results, self.notes = name, threads, results, []
        what, tolerance = ROWS[name]
        self.what, ours = what, results["Fluxion"]
        for label, r in results.items():
            if "skip" in r:
                if label in ("Fluxion", *PEERS):
                    self.notes.append(f"{label}: {r['skip']}")
            elif label != "Fluxion" and "values" in ours and "values" in r:
                if difference := disagreement(ours["values"], r["values"], tolerance):
                    self.notes.append(f"{label} disagrees: {difference}")
                    r["disagrees"] = True

    def median(self, label):
        return statistics.median(statistics.median(samples) for samples in self.results[label]["rounds"])

    def best(self, label):
        return min(min(samples) for samples in self.results[label]["rounds"])

    def has(self, label):
        return label in self.results and self.results[label]["rounds"] and "skip" not in self.results[label]

    def ratio(self, of):
        """The best peer's over ours; nothing where values disagree."""
        peers = [label for label in PEERS if self.has(label)]
        if not peers or not self.has("Fluxion") or any(r.get("disagrees") for r in self.results.values()):
            return None
        return min(of(label) for label in peers) / of("Fluxion")

    def cell(self, label):
        if not self.has(label):
            return "-"
        rounds = [statistics.median(samples) for samples in self.results[label]["rounds"]]
        spread = 50 * (max(rounds) - min(rounds)) / statistics.median(rounds)
        return f"{text(statistics.median(rounds))} ±{spread:.0f}%"

    def print(self):
        ratios = [self.ratio(self.median), self.ratio(self.best)]
        hand = [f"{self.cell(label)} {label}" for label in ("NumPy", "C++") if self.has(label)]
        cells = [*("-" if r is None else f"{r:.2f}" for r in ratios), self.what, str(self.threads),
                 *(self.cell(label) for label in SIDES[:4]), ", ".join(hand)]
        print("| " + " | ".join(cells) + " |", flush=True)


def measure_memory(sides, names):
    """Bytes of one step of training, by what each compiler says of its program."""
    found = {}
    for name in names:
        for label in ("Fluxion", "JAX"):
            if label in sides and "skip" not in sides[label].ask("setup", name):
                found.setdefault(name, {})[label] = sides[label].ask("memory")
    return found


def print_memory(found):
    """Arguments, results (but for donated ones) and temporaries; the least that temporaries alive at once can take."""
    def mega(answer, what):
        return f"{answer[what] / 1e6:.3g} MB" if what in answer else "-"
    if not found:
        return
    print("\n| memory of a step | Fluxion | temporaries | alive at once | JAX | temporaries | JAX / Fluxion |")
    print("|---|---|---|---|---|---|---|")
    for name, sides in found.items():
        ours, theirs = sides.get("Fluxion", {}), sides.get("JAX", {})
        ratio = f"{theirs['peak'] / ours['peak']:.2f}" if "peak" in ours and "peak" in theirs else "-"
        print(f"| {ROWS[name][0]} | {mega(ours, 'peak')} | {mega(ours, 'temporaries')} | {mega(ours, 'alive')} "
              f"| {mega(theirs, 'peak')} | {mega(theirs, 'temporaries')} | {ratio} |")


def start(threads, options):
    python = [options.python]
    torch = [options.torch_python, str(HERE / "torch_rows.py"), "--threads", str(threads)]
    commands = {"Fluxion": [options.fluxion],
                "JAX": [*python, str(HERE / "jax_rows.py")],
                "PyTorch": torch,
                "torch.compile": [*torch, "--compile"],
                "NumPy": [*python, str(HERE / "numpy_rows.py")],
                "C++": [options.fluxion, "--by-hand"]}
    return {label: Side(command, threads, options) for label, command in commands.items() if label in options.sides}


def versions(options):
    def ask(python, module):
        done = subprocess.run([python, "-c", f"import {module}; print({module}.__version__)"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return f"{module} {done.stdout.strip()}" if done.returncode == 0 else None
    found = {"JAX": ask(options.python, "jax"), "NumPy": ask(options.python, "numpy"),
             "PyTorch": ask(options.torch_python, "torch")}
    for label in [label for label, version in found.items() if version is None]:
        print(f"{label} is not installed: left out")
        options.sides = [side for side in options.sides if side not in (label, *(["torch.compile"] if label == "PyTorch" else []))]
    return ", ".join(version for version in found.values() if version)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --peers", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="only rows whose name begins so; repeatable")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.06, help="of each side in each round of each row")
    parser.add_argument("--threads", type=int, action="append", help="repeatable; default: 1 and 2")
    parser.add_argument("--sides", type=lambda words: words.split(","), default=SIDES, help=", ".join(SIDES))
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    parser.add_argument("--save", help="a file for every sample, as JSON")
    parser.add_argument("--fluxion", default="build/release/bench/peers_rows", help=argparse.SUPPRESS)
    parser.add_argument("--python", default=sys.executable, help=argparse.SUPPRESS)
    parser.add_argument("--torch-python", default=sys.executable, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path("build/peers"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{name:24}{what}" for name, (what, _) in ROWS.items()))
        return 0
    options.threads = options.threads or [1, 2]
    names = [name for name in ROWS if not options.only or any(name.startswith(word) for word in options.only)]
    if not names:
        parser.error("no such row; --list names them")
    found = versions(options)
    print(f"{found}; load average {os.getloadavg()[0]:.1f}; {options.rounds} rounds of {options.seconds} s\n")
    print("| ratio | of minima | row | threads | Fluxion | JAX | PyTorch | torch.compile | NumPy, C++ |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    begin, lines, saved, memory = time.time(), [], [], {}
    with open(options.cache / "peers.log", "w") as options.log:
        for threads in options.threads:
            sides = start(threads, options)
            for name in names:
                if in_own_process(name) and threads != max(options.threads):
                    continue   # compiling is not what threads are for
                results = measure(sides, name, options)
                lines.append(Line(name, threads, results))
                lines[-1].print()
                saved.append({"row": name, "threads": threads, "sides": results, "load": os.getloadavg()[0]})
            if threads == max(options.threads):
                memory = measure_memory(sides, [name for name in names if name.startswith("train_")])
            for side in sides.values():
                side.close()
    print_memory(memory)
    loads = sorted(entry["load"] for entry in saved)
    print(f"\nload average {loads[0]:.1f} to {loads[-1]:.1f}, {time.time() - begin:.0f} s in all")
    notes = {}
    for line in lines:
        for note in line.notes:
            notes.setdefault(note if "disagrees" not in note else f"{note} ({line.threads} threads)", []).append(line.name)
    for note, where in notes.items():
        print(f"- {', '.join(dict.fromkeys(where))}: {note}")
    if options.save:
        pathlib.Path(options.save).write_text(json.dumps(saved))
    return 0


if __name__ == "__main__":
    sys.exit(main())
