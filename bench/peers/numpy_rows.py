#!/usr/bin/env python3
"""The rows that NumPy has a function for, or a few."""
import numpy as np

import side
from side import integers, numbers, row


@row
def chain():
    x = numbers(1, (16 << 20,))

    def f():
        a = x * np.float32(1.5) + np.float32(0.5)
        b = a * a - x
        c = np.sqrt(np.abs(b) + np.float32(1))
        return np.maximum(c, a) * np.float32(0.25) - b
    return f


@row
def softmax():
    x = numbers(1, (16384, 1024), 4)

    def f():
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)
    return f


@row
def sort():
    x = numbers(1, (1000000,))
    return lambda: np.sort(x)


@row
def argsort():
    x = numbers(1, (1000000,))
    return lambda: np.argsort(x, kind="stable")


@row
def segment_sum():
    v, i = numbers(1, (1000000,)), integers(2, (1000000,), 10000)
    return lambda: np.bincount(i, v, 10000)


def matrices():
    return numbers(1, (10000, 3, 3)) + 3 * np.eye(3, dtype=np.float32)


@row
def inverse_3x3():
    a = matrices()
    return lambda: np.linalg.inv(a)


@row
def solve_3x3():
    a, b = matrices(), numbers(2, (10000, 3, 1))
    return lambda: np.linalg.solve(a, b)


@row
def argmax():
    x = numbers(1, (16384, 1024))
    return lambda: np.argmax(x, -1)


@row
def cumsum():
    x = numbers(1, (4096, 4096))
    return lambda: np.cumsum(x, -1)


if __name__ == "__main__":
    side.serve(lambda result: result, np.asarray, lambda: np.exp(np.arange(10)))
