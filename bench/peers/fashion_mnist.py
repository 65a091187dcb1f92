#!/usr/bin/env python3
"""The networks of examples/fashion_mnist.cpp in PyTorch on the CPU: prints the seconds of the faster of two epochs."""
import argparse
import gzip
import time

import torch
from torch import nn


def load(folder, part):
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
        images = torch.frombuffer(bytearray(f.read()[16:]), dtype=torch.uint8).reshape(-1, 1, 28, 28).float() / 255
    with gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz") as f:
        labels = torch.frombuffer(bytearray(f.read()[8:]), dtype=torch.uint8).long()
    return images, labels


def network(name):
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 32, 128), nn.ReLU(), nn.Linear(128, 10))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["mlp", "cnn"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    images, labels = load(options.data, "train")
    model, loss = network(options.model), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.5e-3)
    best = float("inf")
    for _ in range(2):
        order = torch.randperm(len(labels))
        start = time.perf_counter()
        for i in range(0, len(labels) - options.batch + 1, options.batch):
            rows = order[i : i + options.batch]
            optimizer.zero_grad(set_to_none=True)
            loss(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        best = min(best, time.perf_counter() - start)
    print(f"{best:.3f}")


if __name__ == "__main__":
    main()
