"""What the sides written in Python share: the data, which rows.hpp makes by the same formulas, and the loop that answers
table.py. A row is a function that prepares its data and returns a call, or (call, how many calls that stands for)."""
import argparse
import gc
import json
import sys
import time

import numpy as np

rows = {}


def row(make):
    rows[make.__name__] = make
    return make


class Skip(Exception):
    """Why a side has no such row."""


def skip(name, reason):
    def make():
        raise Skip(reason)

    rows[name] = make


def _hash(seed, shape):
    h = np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint32)
    with np.errstate(over="ignore"):
        h = h * np.uint32(0x9E3779B1) + np.uint32(seed * 0x85EBCA77 & 0xFFFFFFFF)
        h ^= h >> np.uint32(15)
        h *= np.uint32(0x2C1B3C6D)
        h ^= h >> np.uint32(12)
        h *= np.uint32(0x297A2D39)
        h ^= h >> np.uint32(15)
    return h.reshape(shape)


def numbers(seed, shape, scale=1.0, shift=0.0):
    """float32 in [shift - scale, shift + scale)."""
    unit = (_hash(seed, shape) >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return unit * np.float32(scale) + np.float32(shift)


def integers(seed, shape, below):
    """int32 in [0, below)."""
    return (_hash(seed, shape) % np.uint32(below)).astype(np.int32)


def summary(outputs, numpy):
    """Of each output its mean, the mean of its absolute values, and four elements."""
    result = []
    for output in outputs:
        x = np.asarray(numpy(output), dtype=np.float64).reshape(-1)
        picks = [x[0], x[len(x) // 3], x[len(x) // 2], x[-1]]
        result.append([float(v) for v in (x.mean(), np.abs(x).mean(), *picks)])
    return result


def _prepare(name):
    made = rows[name]()
    return made if isinstance(made, tuple) else (made, 1)


def _flat(out):
    return [leaf for part in out for leaf in _flat(part)] if isinstance(out, (tuple, list)) else [out]


def serve(wait, numpy, warm_up, outputs=lambda out: out):
    """`wait` returns when a result is there; `numpy` converts one array; `outputs` are what is compared."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--first", help="time the first call of a row in this process, after another program's")
    parser.add_argument("--cold", action="store_true", help="compute something small and stop")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    if options.cold:
        wait(warm_up())
        return
    if options.first:
        try:
            call, _ = _prepare(options.first)
            wait(warm_up())
            start = time.perf_counter()
            out = call()
            wait(out)
            elapsed = 1e3 * (time.perf_counter() - start)
            print(json.dumps({"ms": [elapsed], "values": summary(_flat(outputs(out)), numpy)}))
        except Skip as reason:
            print(json.dumps({"skip": str(reason)}))
        return
    call, calls = None, 1
    for line in sys.stdin:
        command, *words = line.split()
        answer = {}
        try:
            if command == "setup":
                call = None
                gc.collect()
                call, calls = _prepare(words[0])
                for _ in range(3 if words[0].startswith("train") else 1):   # of training the third step is compared
                    out = call()
                    wait(out)
                answer["values"] = summary(_flat(outputs(out)), numpy)
            elif command == "time":
                budget, samples = float(words[0]), []
                spent = 0
                while spent < budget and len(samples) < 500 or len(samples) < 3 and spent < 0.5:
                    start = time.perf_counter()
                    wait(call())
                    seconds = time.perf_counter() - start
                    spent += seconds
                    samples.append(1e3 * seconds / calls)
                answer["ms"] = samples
            elif command == "memory" and hasattr(call, "memory"):
                answer = call.memory()
        except KeyError:
            answer["skip"] = "no such row"
        except Exception as error:  # a peer that cannot run a row says why; the table goes on
            answer["skip"] = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        print(json.dumps(answer), flush=True)
