#!/usr/bin/env python3
"""The rows in PyTorch: eager, or with --compile under torch.compile."""
import functools
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

import side
from side import Skip, row

COMPILE = "--compile" in sys.argv
threads = int(sys.argv[sys.argv.index("--threads") + 1]) if "--threads" in sys.argv else 1
torch.set_num_threads(threads)


def numbers(seed, shape, scale=1.0, shift=0.0):
    return torch.from_numpy(side.numbers(seed, shape, scale, shift))


def integers(seed, shape, below):
    return torch.from_numpy(side.integers(seed, shape, below)).long()


def compiled(f):
    return torch.compile(f, dynamic=False) if COMPILE else f


def eager_only(f):
    """A row of library calls and loops that a compiler of graphs does not change."""
    def make():
        if COMPILE:
            raise Skip("the same library call as eager")
        return f()
    side.rows[f.__name__] = make
    return make


def work(f, *args):
    f = compiled(f)

    def call():
        with torch.no_grad():
            return f(*args)
    return call


def pullback(f, args, ct, wanted=None):
    """The gradients of args (those of the indices wanted) for a cotangent."""
    wanted = range(len(args)) if wanted is None else wanted
    leaves = [args[i].requires_grad_() for i in wanted]
    f = compiled(f)
    return lambda: torch.autograd.grad(f(*args), leaves, ct)


@row
def chain():
    def f(x):
        a = x * 1.5 + 0.5
        b = a * a - x
        c = torch.sqrt(torch.abs(b) + 1)
        return torch.maximum(c, a) * 0.25 - b
    return work(f, numbers(1, (16 << 20,)))


@row
def softmax():
    return work(lambda x: torch.softmax(x, -1), numbers(1, (16384, 1024), 4))


@row
def softmax_grad():
    return pullback(lambda x: torch.softmax(x, -1), [numbers(1, (16384, 1024), 4)], numbers(2, (16384, 1024)))


def layer_norm(x, scale, shift):
    return F.layer_norm(x, (x.shape[-1],), scale, shift)


@row
def layernorm():
    return work(layer_norm, numbers(1, (16384, 1024)), numbers(2, (1024,)), numbers(3, (1024,)))


@row
def layernorm_grad():
    args = [numbers(1, (16384, 1024)), numbers(2, (1024,)), numbers(3, (1024,))]
    return pullback(layer_norm, args, numbers(4, (16384, 1024)))


def cross_entropy(logits, labels):
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))


@row
def cross_entropy_grad():
    return pullback(cross_entropy, [numbers(1, (8192, 2048), 4), integers(2, (8192,), 2048)], None, [0])


@row
def rmsnorm_gelu():
    def f(x, g):
        y = x * torch.rsqrt(torch.mean(x * x, -1, keepdim=True) + 1e-6) * g
        return x + F.gelu(y, approximate="tanh")
    return work(f, numbers(1, (16384, 1024)), numbers(2, (1024,)))


@row
def nbody():
    def f(p, m):
        d = p[None] - p[:, None]
        r2 = torch.sum(d * d, -1) + 0.01
        return torch.sum((m * torch.rsqrt(r2) / r2)[..., None] * d, 1)
    return work(f, numbers(1, (2000, 3)), numbers(2, (2000,), 0.5, 1))


# Products.

def matmul(n, dtype=torch.float32):
    def f(x, w, b):
        return F.gelu(torch.addmm(b, x, w), approximate="tanh")
    args = numbers(1, (n, n)), numbers(2, (n, n), 1 / math.sqrt(n)), numbers(3, (n,))
    return work(f, *(a.to(dtype) for a in args))


for n in (64, 256, 512, 1024, 2048):
    side.rows[f"matmul_{n}"] = functools.partial(matmul, n)
for n in (64, 256, 1024):
    side.rows[f"matmul_bf16_{n}"] = functools.partial(matmul, n, torch.bfloat16)


@row
def matmul_f64():
    return work(torch.matmul, numbers(1, (512, 512)).double(), numbers(2, (512, 512)).double())


@row
def matvec_f64():
    return work(torch.mv, numbers(1, (2048, 2048)).double(), numbers(2, (2048,)).double())


# Here the channels come first; what is compared is put in the order of the other sides by `restore`, unmeasured.


class Restored:
    """Results of one call with the axes that they have in the other sides."""

    def __init__(self, outputs, orders):
        self.outputs, self.orders = outputs, orders


def channels_first(x):
    return x.permute(0, 3, 1, 2).contiguous()


def windows_first(w):
    return w.permute(3, 2, 0, 1).contiguous()


IMAGE, WINDOW = (0, 2, 3, 1), (2, 3, 1, 0)
CONV = (16, 56, 56, 64), (3, 3, 64, 64), 0.05, 1
DEPTHWISE = (16, 56, 56, 128), (3, 3, 1, 128), 0.3, 128


def convolve(shape, window, scale, groups, grad):
    x, w = channels_first(numbers(1, shape)), windows_first(numbers(2, window, scale))

    def f(x, w):
        return F.conv2d(x, w, padding=1, groups=groups)
    if not grad:
        call = work(f, x, w)
        return lambda: Restored([call()], [IMAGE])
    call = pullback(f, [x, w], channels_first(numbers(3, (*shape[:3], window[3]))))
    return lambda: Restored(call(), [IMAGE, WINDOW])


side.rows["conv"] = functools.partial(convolve, *CONV, False)
side.rows["conv_grad"] = functools.partial(convolve, *CONV, True)
side.rows["depthwise"] = functools.partial(convolve, *DEPTHWISE, False)
side.rows["depthwise_grad"] = functools.partial(convolve, *DEPTHWISE, True)


@row
def conv_transposed_1d():
    x = numbers(1, (16, 4096, 64)).permute(0, 2, 1).contiguous()
    w = numbers(2, (4, 64, 64), 0.1).flip(0).permute(1, 2, 0).contiguous()
    call = work(lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1), x, w)
    return lambda: Restored([call()], [(0, 2, 1)])


def attend(q, k, v):
    return F.scaled_dot_product_attention(q[None], k[None], v[None])[0]


def attention(n, grad):
    q, k, v, ct = (numbers(seed, (8, n, 64)) for seed in (1, 2, 3, 4))
    return pullback(attend, [q, k, v], ct) if grad else work(attend, q, k, v)


for n in (512, 2048):
    side.rows[f"attention_{n}"] = functools.partial(attention, n, False)
    side.rows[f"attention_{n}_grad"] = functools.partial(attention, n, True)

# Loops: there is no loop in a graph; a million steps of Python take ten seconds and more.
for name in ("scan", "scan_grad", "update_in_loop"):
    side.skip(name, "a loop of Python")


def lstm_module(wi, wh, b):
    """nn.LSTM, whose weights are [4 h, in] and whose two biases add."""
    module = torch.nn.LSTM(wi.shape[0], wh.shape[0])
    with torch.no_grad():
        module.weight_ih_l0.copy_(wi.T)
        module.weight_hh_l0.copy_(wh.T)
        module.bias_ih_l0.copy_(b)
        module.bias_hh_l0.zero_()
    module.bias_hh_l0.requires_grad_(False)
    return module


def lstm_arguments():
    return numbers(2, (128, 512), 0.08), numbers(3, (128, 512), 0.08), numbers(4, (512,), 0.1)


@eager_only
def lstm():
    module, xs = lstm_module(*lstm_arguments()), numbers(1, (100, 32, 128))
    return work(lambda xs: module(xs)[0], xs)


@eager_only
def lstm_grad():
    module, xs = lstm_module(*lstm_arguments()), numbers(1, (100, 32, 128))
    weights = [module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0]

    def call():
        g = torch.autograd.grad(torch.mean(torch.square(module(xs)[0])), weights)
        return Restored(g, [(1, 0), (1, 0), (0,)])
    return call


# Order, sums, small matrices.

@eager_only
def sort():
    return work(lambda x: torch.sort(x)[0], numbers(1, (1000000,)))


@eager_only
def argsort():
    return work(lambda x: torch.argsort(x, stable=True), numbers(1, (1000000,)))


@row
def segment_sum():
    def f(v, i):
        return torch.zeros(10000).index_add_(0, i, v)
    return work(f, numbers(1, (1000000,)), integers(2, (1000000,), 10000))


def matrices():
    return numbers(1, (10000, 3, 3)) + 3 * torch.eye(3)


@eager_only
def inverse_3x3():
    return work(torch.linalg.inv, matrices())


@eager_only
def solve_3x3():
    return work(torch.linalg.solve, matrices(), numbers(2, (10000, 3, 1)))


@row
def argmax():
    return work(lambda x: torch.argmax(x, -1), numbers(1, (16384, 1024)))


@row
def cumsum():
    return work(lambda x: torch.cumsum(x, -1), numbers(1, (4096, 4096)))


@row
def tiny_call():
    f, x = compiled(lambda x: x * 2 + 1), numbers(1, (8,))

    def calls():
        with torch.no_grad():
            for _ in range(1000):
                y = f(x)
        return y
    return calls, 1000


# First calls and training steps: the networks. Parameters are trees of tensors, as on the other sides.

def linear(seed, fan_in, fan_out):
    return numbers(seed, (fan_in, fan_out), math.sqrt(3 / fan_in)), numbers(seed + 1, (fan_out,), 0.1)


def dense(layer, x):
    return F.linear(x, layer[0], layer[1])


def leaves(tree):
    """The tensors of a tree, in order."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    return [t for part in (tree.values() if isinstance(tree, dict) else tree) for t in leaves(part)]


def trained(tree):
    """Leaves that require gradients; dense weights as nn.Linear keeps them, [out, in]."""
    if isinstance(tree, dict):
        return {name: trained(part) for name, part in tree.items()}
    if isinstance(tree, list):
        return [trained(part) for part in tree]
    if isinstance(tree, tuple) and tree[0].ndim == 2:
        return tree[0].T.contiguous().requires_grad_(), tree[1].requires_grad_()
    return tuple(map(trained, tree)) if isinstance(tree, tuple) else tree.requires_grad_()


def mlp(params, x):
    for layer in params[:-1]:
        x = F.relu(dense(layer, x))
    return dense(params[-1], x)


def loss_of(network):
    return lambda params, x, y: cross_entropy(network(params, x), y)


def value_and_grad(f, params, *batch):
    params, f = trained(params), compiled(f)

    def call():
        value = f(params, *batch)
        grads = torch.autograd.grad(value, leaves(params))
        return Restored([value, *grads], [None, *[tuple(range(g.ndim))[::-1] for g in grads]])
    return call


@row
def first_mlp_grad():
    params = [linear(1, 64, 128), linear(3, 128, 128), linear(5, 128, 10)]
    return value_and_grad(loss_of(mlp), params, numbers(7, (32, 64)), integers(8, (32,), 10))


@row
def first_200_layers_grad():
    def deep(params, x):
        for layer in params:
            x = torch.tanh(dense(layer, x))
        return torch.mean(torch.square(x))
    params = [linear(2 * i + 1, 32, 32) for i in range(200)]
    return value_and_grad(deep, params, numbers(0, (8, 32)))


def block_parameters(seed, d):
    return [(torch.ones(d), torch.zeros(d)), linear(seed, d, 3 * d), linear(seed + 2, d, d),
            (torch.ones(d), torch.zeros(d)), linear(seed + 4, d, 4 * d), linear(seed + 6, 4 * d, d)]


def block(p, x, heads):
    norm1, qkv, out, norm2, up, down = p
    b, t, d = x.shape
    q, k, v = (a.reshape(b, t, heads, d // heads).transpose(1, 2)
               for a in dense(qkv, layer_norm(x, *norm1)).chunk(3, -1))
    a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + dense(out, a.transpose(1, 2).reshape(b, t, d))
    return x + dense(down, F.gelu(dense(up, layer_norm(x, *norm2)), approximate="tanh"))


@row
def first_transformer_grad():
    def f(p, x):
        return torch.mean(torch.square(block(p, x, 4)))
    return value_and_grad(f, block_parameters(1, 64), numbers(9, (2, 32, 64)))


def trainer(loss, params, *batch):
    params, loss = trained(params), compiled(loss)
    adam = torch.optim.Adam(leaves(params), lr=1e-3, fused=True)

    def call():
        adam.zero_grad(set_to_none=True)
        value = loss(params, *batch)
        value.backward()
        adam.step()
        return value.detach()
    return call


@row
def train_mlp():
    params = [linear(1, 784, 256), linear(3, 256, 10)]
    return trainer(loss_of(mlp), params, numbers(7, (128, 784)), integers(8, (128,), 10))


@row
def train_cnn():
    def network(p, x):
        for w, b in p[:2]:
            x = F.max_pool2d(F.relu(F.conv2d(x, w, b, padding=1)), 2)
        return mlp(p[2:], x.flatten(1))
    w, b = linear(5, 7 * 7 * 32, 128)
    first = w.reshape(7, 7, 32, 128).permute(2, 0, 1, 3).reshape(7 * 7 * 32, 128), b
    params = [(windows_first(numbers(1, (3, 3, 1, 16), 0.5)), numbers(2, (16,), 0.1)),
              (windows_first(numbers(3, (3, 3, 16, 32), 0.15)), numbers(4, (32,), 0.1)),
              first, linear(7, 128, 10)]
    return trainer(loss_of(network), params, channels_first(numbers(9, (128, 28, 28, 1))), integers(10, (128,), 10))


@eager_only
def train_lstm():
    module = lstm_module(numbers(1, (28, 512), 0.1), numbers(2, (128, 512), 0.08), numbers(3, (512,), 0.1))
    cell = [module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0]
    head = trained(linear(4, 128, 10))
    xs, y = numbers(7, (28, 64, 28)), integers(8, (64,), 10)
    adam = torch.optim.Adam([*cell, *head], lr=1e-3, fused=True)

    def call():
        adam.zero_grad(set_to_none=True)
        value = cross_entropy(dense(head, module(xs)[0][-1]), y)
        value.backward()
        adam.step()
        return value.detach()
    return call


@row
def train_gpt():
    def network(p, tokens):
        x = F.embedding(tokens, p["embed"]) + p["position"]
        for b in p["blocks"]:
            x = block(b, x, 4)
        return dense(p["head"], layer_norm(x, *p["ln"]))
    params = dict(embed=numbers(1, (256, 128), 0.1), position=numbers(2, (128, 128), 0.1),
                  blocks=[block_parameters(10 + 10 * i, 128) for i in range(4)],
                  ln=(torch.ones(128), torch.zeros(128)), head=linear(3, 128, 256))
    return trainer(loss_of(network), params, integers(7, (4, 128), 256), integers(8, (4, 128), 256))


def numpy(x):
    x = x.detach()
    return (x.float() if x.dtype == torch.bfloat16 else x).numpy()


def outputs(out):
    if not isinstance(out, Restored):
        return out
    return [x if order is None else x.permute(order) for x, order in zip(out.outputs, out.orders)]


def warm_up():
    f = compiled(lambda x: torch.sum(torch.exp(x) * 2))
    return f(torch.arange(10, dtype=torch.float32))


if __name__ == "__main__":
    side.serve(lambda result: result, numpy, warm_up, outputs)
