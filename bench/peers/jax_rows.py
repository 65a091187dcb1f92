#!/usr/bin/env python3
"""The rows in JAX, every function under jit."""
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import side
from side import row


def numbers(seed, shape, scale=1.0, shift=0.0):
    return jnp.asarray(side.numbers(seed, shape, scale, shift))


def integers(seed, shape, below):
    return jnp.asarray(side.integers(seed, shape, below))


def work(f, *args):
    f = jax.jit(f)
    return lambda: f(*args)


def weighted(f, ct):
    """A scalar whose gradient pulls ct back through f."""
    return lambda *args: jnp.sum(f(*args) * ct)


def gradient(f, args, ct, argnums):
    return work(jax.grad(weighted(f, ct), argnums), *args)


# Elementwise and rows.

@row
def chain():
    def f(x):
        a = x * 1.5 + 0.5
        b = a * a - x
        c = jnp.sqrt(jnp.abs(b) + 1)
        return jnp.maximum(c, a) * 0.25 - b
    return work(f, numbers(1, (16 << 20,)))


@row
def softmax():
    return work(lambda x: jax.nn.softmax(x, -1), numbers(1, (16384, 1024), 4))


@row
def softmax_grad():
    x, ct = numbers(1, (16384, 1024), 4), numbers(2, (16384, 1024))
    return work(lambda x, ct: jax.vjp(lambda x: jax.nn.softmax(x, -1), x)[1](ct)[0], x, ct)


def layer_norm(x, scale, shift):
    mean = jnp.mean(x, -1, keepdims=True)
    var = jnp.mean(jnp.square(x - mean), -1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * scale + shift


@row
def layernorm():
    return work(layer_norm, numbers(1, (16384, 1024)), numbers(2, (1024,)), numbers(3, (1024,)))


@row
def layernorm_grad():
    args = numbers(1, (16384, 1024)), numbers(2, (1024,)), numbers(3, (1024,))
    return work(lambda ct, *a: jax.vjp(layer_norm, *a)[1](ct), numbers(4, (16384, 1024)), *args)


def cross_entropy(logits, labels):
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits, -1), labels[..., None], -1)
    return -jnp.mean(picked)


@row
def cross_entropy_grad():
    return work(jax.grad(cross_entropy), numbers(1, (8192, 2048), 4), integers(2, (8192,), 2048))


@row
def rmsnorm_gelu():
    def f(x, g):
        return x + jax.nn.gelu(x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6) * g)
    return work(f, numbers(1, (16384, 1024)), numbers(2, (1024,)))


@row
def nbody():
    def f(p, m):
        d = p[None] - p[:, None]
        r2 = jnp.sum(d * d, -1) + 0.01
        return jnp.sum((m * lax.rsqrt(r2) / r2)[..., None] * d, 1)
    return work(f, numbers(1, (2000, 3)), numbers(2, (2000,), 0.5, 1))


# Products.

def matmul(n, dtype=jnp.float32):
    def f(x, w, b):
        return jax.nn.gelu(x @ w + b)
    args = numbers(1, (n, n)), numbers(2, (n, n), 1 / math.sqrt(n)), numbers(3, (n,))
    return work(f, *(a.astype(dtype) for a in args))


for n in (64, 256, 512, 1024, 2048):
    side.rows[f"matmul_{n}"] = functools.partial(matmul, n)
for n in (64, 256, 1024):
    side.rows[f"matmul_bf16_{n}"] = functools.partial(matmul, n, jnp.bfloat16)


def in_float64(f, *args):
    """JAX computes it only where it is told to; the rows before and after keep its own default."""
    with jax.enable_x64(True):
        args = [jnp.asarray(np.asarray(a, dtype=np.float64)) for a in args]
    f = jax.jit(f)

    def call():
        with jax.enable_x64(True):
            return f(*args)
    return call


@row
def matmul_f64():
    return in_float64(lambda x, w: x @ w, numbers(1, (512, 512)), numbers(2, (512, 512)))


@row
def matvec_f64():
    return in_float64(lambda a, x: a @ x, numbers(1, (2048, 2048)), numbers(2, (2048,)))


def convolution(groups=1, **options):
    return lambda x, w: lax.conv_general_dilated(
        x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups)


CONV = (16, 56, 56, 64), (3, 3, 64, 64), 0.05, 1
DEPTHWISE = (16, 56, 56, 128), (3, 3, 1, 128), 0.3, 128


def convolve(shape, window, scale, groups, grad):
    x, w, f = numbers(1, shape), numbers(2, window, scale), convolution(groups)
    if not grad:
        return work(f, x, w)
    ct = numbers(3, (*shape[:3], window[3]))
    return work(lambda x, w, ct: jax.vjp(f, x, w)[1](ct), x, w, ct)


side.rows["conv"] = functools.partial(convolve, *CONV, False)
side.rows["conv_grad"] = functools.partial(convolve, *CONV, True)
side.rows["depthwise"] = functools.partial(convolve, *DEPTHWISE, False)
side.rows["depthwise_grad"] = functools.partial(convolve, *DEPTHWISE, True)


@row
def conv_transposed_1d():
    def f(x, w):
        return lax.conv_general_dilated(
            x, w, (1,), [(2, 2)], lhs_dilation=(2,), dimension_numbers=("NWC", "WIO", "NWC"))
    return work(f, numbers(1, (16, 4096, 64)), numbers(2, (4, 64, 64), 0.1))


def attend(q, k, v):
    s = jnp.einsum("hqd,hkd->hqk", q, k) * 0.125
    return jnp.einsum("hqk,hkd->hqd", jax.nn.softmax(s, -1), v)


def attention(n, grad):
    q, k, v, ct = (numbers(seed, (8, n, 64)) for seed in (1, 2, 3, 4))
    if not grad:
        return work(attend, q, k, v)
    return work(lambda q, k, v, ct: jax.vjp(attend, q, k, v)[1](ct), q, k, v, ct)


for n in (512, 2048):
    side.rows[f"attention_{n}"] = functools.partial(attention, n, False)
    side.rows[f"attention_{n}_grad"] = functools.partial(attention, n, True)


# Loops.

def ten_operations(c, x):
    a = c * 0.9 + x
    b = a * a - c
    d = b * 0.5 + a
    e = d * d * 0.1 + c * 0.3
    return e * 0.5, e


@row
def scan():
    return work(lambda c, xs: lax.scan(ten_operations, c, xs), jnp.float32(0.1), numbers(1, (1000000,), 0.1))


@row
def scan_grad():
    f = jax.grad(lambda c, xs: jnp.sum(lax.scan(ten_operations, c, xs)[1]), (0, 1))
    return work(f, jnp.float32(0.1), numbers(1, (1000000,), 0.1))


def lstm_states(xs, wi, wh, b):
    """xs: [time, batch, in]."""
    def cell(carry, z):
        h, c = carry
        i, f, g, o = jnp.split(z + h @ wh, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h
    zero = jnp.zeros((xs.shape[1], wh.shape[0]))
    return lax.scan(cell, (zero, zero), xs @ wi + b)[1]


def lstm_arguments():
    return (numbers(1, (100, 32, 128)), numbers(2, (128, 512), 0.08), numbers(3, (128, 512), 0.08),
            numbers(4, (512,), 0.1))


@row
def lstm():
    return work(lstm_states, *lstm_arguments())


@row
def lstm_grad():
    return work(jax.grad(lambda *a: jnp.mean(jnp.square(lstm_states(*a))), (1, 2, 3)), *lstm_arguments())


@row
def update_in_loop():
    def f(t):
        def body(i, t):
            j = i * 7919 % 100000
            return t.at[j].set(t[j] * 0.5 + jnp.sin(i.astype(jnp.float32)))
        return lax.fori_loop(0, 100000, body, t)
    return work(f, numbers(1, (100000,)))


# Order, sums, small matrices.

@row
def sort():
    return work(jnp.sort, numbers(1, (1000000,)))


@row
def argsort():
    return work(jnp.argsort, numbers(1, (1000000,)))


@row
def segment_sum():
    f = functools.partial(jax.ops.segment_sum, num_segments=10000)
    return work(lambda v, i: f(v, i), numbers(1, (1000000,)), integers(2, (1000000,), 10000))


def matrices():
    return numbers(1, (10000, 3, 3)) + 3 * jnp.eye(3, dtype=jnp.float32)


@row
def inverse_3x3():
    return work(jnp.linalg.inv, matrices())


@row
def solve_3x3():
    return work(jnp.linalg.solve, matrices(), numbers(2, (10000, 3, 1)))


@row
def argmax():
    return work(lambda x: jnp.argmax(x, -1), numbers(1, (16384, 1024)))


@row
def cumsum():
    return work(lambda x: jnp.cumsum(x, -1), numbers(1, (4096, 4096)))


@row
def tiny_call():
    f, x = jax.jit(lambda x: x * 2 + 1), numbers(1, (8,))

    def calls():
        for _ in range(1000):
            y = f(x)
        return y
    return calls, 1000


# First calls and training steps: the networks.

def linear(seed, fan_in, fan_out):
    return numbers(seed, (fan_in, fan_out), math.sqrt(3 / fan_in)), numbers(seed + 1, (fan_out,), 0.1)


def dense(layer, x):
    return x @ layer[0] + layer[1]


def mlp(params, x):
    for layer in params[:-1]:
        x = jax.nn.relu(dense(layer, x))
    return dense(params[-1], x)


def loss_of(network):
    return lambda params, x, y: cross_entropy(network(params, x), y)


@row
def first_mlp_grad():
    params = [linear(1, 64, 128), linear(3, 128, 128), linear(5, 128, 10)]
    return work(jax.value_and_grad(loss_of(mlp)), params, numbers(7, (32, 64)), integers(8, (32,), 10))


@row
def first_200_layers_grad():
    def deep(params, x):
        for layer in params:
            x = jnp.tanh(dense(layer, x))
        return jnp.mean(jnp.square(x))
    params = [linear(2 * i + 1, 32, 32) for i in range(200)]
    return work(jax.value_and_grad(deep), params, numbers(0, (8, 32)))


def block_parameters(seed, d):
    return [(jnp.ones(d), jnp.zeros(d)), linear(seed, d, 3 * d), linear(seed + 2, d, d),
            (jnp.ones(d), jnp.zeros(d)), linear(seed + 4, d, 4 * d), linear(seed + 6, 4 * d, d)]


def block(p, x, heads):
    """x: [batch, time, d]; causal."""
    norm1, qkv, out, norm2, up, down = p
    b, t, d = x.shape
    q, k, v = (a.reshape(b, t, heads, d // heads).transpose(0, 2, 1, 3)
               for a in jnp.split(dense(qkv, layer_norm(x, *norm1)), 3, -1))
    s = q @ k.swapaxes(-1, -2) / math.sqrt(d // heads)
    s = jnp.where(jnp.tri(t, dtype=bool), s, -1e9)
    a = jax.nn.softmax(s, -1) @ v
    x = x + dense(out, a.transpose(0, 2, 1, 3).reshape(b, t, d))
    return x + dense(down, jax.nn.gelu(dense(up, layer_norm(x, *norm2))))


@row
def first_transformer_grad():
    def f(p, x):
        return jnp.mean(jnp.square(block(p, x, 4)))
    return work(jax.value_and_grad(f), block_parameters(1, 64), numbers(9, (2, 32, 64)))


def trainer(loss, params, *batch):
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [params, zeros, zeros, jnp.int32(0)]

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2, 3))
    def step(params, m, v, count, *batch):
        value, g = jax.value_and_grad(loss)(params, *batch)
        count = count + 1
        t = count.astype(jnp.float32)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        u1, u2 = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
        params = jax.tree.map(lambda p, m, v: p - 1e-3 * (m * u1) / (jnp.sqrt(v * u2) + 1e-8), params, m, v)
        return [params, m, v, count], value

    state = jax.tree.map(lambda x: jnp.array(x, copy=True), state)

    def call():
        nonlocal state
        state, value = step(*state, *batch)
        jax.block_until_ready(state)
        return value

    def memory():
        m = step.lower(*state, *batch).compile().memory_analysis()
        return {"peak": m.argument_size_in_bytes + m.output_size_in_bytes - m.alias_size_in_bytes + m.temp_size_in_bytes,
                "temporaries": m.temp_size_in_bytes}
    call.memory = memory
    return call


@row
def train_mlp():
    params = [linear(1, 784, 256), linear(3, 256, 10)]
    return trainer(loss_of(mlp), params, numbers(7, (128, 784)), integers(8, (128,), 10))


@row
def train_cnn():
    def pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def network(p, x):
        for w, b in p[:2]:
            x = pool(jax.nn.relu(convolution()(x, w) + b))
        return mlp(p[2:], x.reshape(-1, 7 * 7 * 32))
    params = [(numbers(1, (3, 3, 1, 16), 0.5), numbers(2, (16,), 0.1)),
              (numbers(3, (3, 3, 16, 32), 0.15), numbers(4, (32,), 0.1)),
              linear(5, 7 * 7 * 32, 128), linear(7, 128, 10)]
    return trainer(loss_of(network), params, numbers(9, (128, 28, 28, 1)), integers(10, (128,), 10))


@row
def train_lstm():
    def network(p, xs):
        return dense(p[3], lstm_states(xs, *p[:3])[-1])
    params = [numbers(1, (28, 512), 0.1), numbers(2, (128, 512), 0.08), numbers(3, (512,), 0.1), linear(4, 128, 10)]
    return trainer(loss_of(network), params, numbers(7, (28, 64, 28)), integers(8, (64,), 10))


@row
def train_gpt():
    def network(p, tokens):
        x = p["embed"][tokens] + p["position"]
        for b in p["blocks"]:
            x = block(b, x, 4)
        return dense(p["head"], layer_norm(x, *p["ln"]))
    params = dict(embed=numbers(1, (256, 128), 0.1), position=numbers(2, (128, 128), 0.1),
                  blocks=[block_parameters(10 + 10 * i, 128) for i in range(4)],
                  ln=(jnp.ones(128), jnp.zeros(128)), head=linear(3, 128, 256))
    return trainer(loss_of(network), params, integers(7, (4, 128), 256), integers(8, (4, 128), 256))


def warm_up():
    return jax.jit(lambda x: jnp.sum(jnp.exp(x) * 2))(jnp.arange(10, dtype=jnp.float32))


if __name__ == "__main__":
    side.serve(jax.block_until_ready, np.asarray, warm_up)
