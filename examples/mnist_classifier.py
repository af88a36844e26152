#!/usr/bin/env python3
"""Train the digit classifier whose features the metrics use; a few minutes on two cores.

    python examples/mnist_classifier.py   # writes mnist_classifier.safetensors
    # only test the weights that come with the package
    python examples/mnist_classifier.py --check

The package's weights are those of the default options. Their test error is reported, and nothing
was chosen by it: the number of epochs was fixed beforehand. The same options, machine and number of
threads give the same bits.
"""

import argparse
import math
import sys
import time

import numpy as np

import minigan
from minigan.arrays import Generator, resolve_device, to_device
from minigan.data import mnist
from minigan.metrics import MnistClassifier, describe, load_classifier
from minigan.nn import functional as F
from minigan.optim import Adam
from minigan.training.cli import number

SHIFT = 2  # pixels by which training images are moved at most, each way


def shifted(images, generator):
    """float32 images in [-1, 1], each moved by up to SHIFT pixels up or down and left or right;
    what comes in is black."""
    n, _, height, width = images.shape
    padded = np.pad(images[:, 0], ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    dy, dx = generator.integers(0, 2 * SHIFT + 1, (2, n))
    return windows[np.arange(n), dy, dx][:, None].astype(np.float32) / np.float32(127.5) - 1


def train(data, epochs, batch_size, lr, seed, device):
    """A trained classifier: Adam on the cross entropy, its rate falling along a half cosine to
    0."""
    minigan.manual_seed(seed)
    net = MnistClassifier().to(device)
    optimizer = Adam(net.parameters(), lr)
    generator = Generator(seed + 1)
    steps = len(data) // batch_size
    for epoch in range(epochs):
        start, total = time.perf_counter(), 0.0
        order = generator.permutation(len(data))
        for step in range(steps):
            rows = order[step * batch_size : (step + 1) * batch_size]
            images = minigan.as_tensor(to_device(shifted(data.images[rows], generator), device))
            labels = minigan.as_tensor(to_device(data.labels[rows].astype(np.int64), device))
            optimizer.param_groups[0]["lr"] = (
                lr * 0.5 * (1 + math.cos(math.pi * (epoch * steps + step) / (epochs * steps)))
            )
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(
            f"epoch {epoch + 1}/{epochs}: training loss {total / steps:.4f}, "
            f"{time.perf_counter() - start:.0f} s",
            flush=True,
        )
    return net.eval()


def report(net, data):
    """Print how often the classifier is right on `data`."""
    wrong = int((describe(data.images, net).digits != data.labels).sum())
    print(
        f"{data.name}, {len(data)} test images: {wrong} errors, "
        f"{100 * (1 - wrong / len(data)):.2f} % right"
    )


def main(arguments=None):
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--epochs", type=number(int, 1), default=15, help="(default %(default)s)")
    p.add_argument("--batch-size", type=number(int, 2), default=128, help="(default %(default)s)")
    p.add_argument(
        "--lr",
        type=number(float, 0),
        default=3e-3,
        help="Adam's learning rate at the start (default %(default)s)",
    )
    p.add_argument("--seed", type=int, default=0, help="(default %(default)s)")
    p.add_argument(
        "--data-dir",
        help="folder with the four idx files (default: $MINIGAN_DATA, the cache, or a download)",
    )
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    p.add_argument(
        "--out",
        default="mnist_classifier.safetensors",
        help="file of the weights (default %(default)s)",
    )
    p.add_argument(
        "--check",
        action="store_true",
        help="train nothing: test the weights that come with the package",
    )
    options = p.parse_args(arguments)
    try:
        test = mnist.load("mnist", "test", options.data_dir)
        device = resolve_device(options.device)
        if options.check:
            net = load_classifier(device=device)
            print(f"classifier {net.digest}")
        else:
            train_set = mnist.load("mnist", "train", options.data_dir)
            net = train(
                train_set, options.epochs, options.batch_size, options.lr, options.seed, device
            )
            minigan.save(net.state_dict(), options.out)
            print(f"{options.out}: classifier {net.digest}")
    except (minigan.DeviceError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    report(net, test)
    return 0


if __name__ == "__main__":
    sys.exit(main())
