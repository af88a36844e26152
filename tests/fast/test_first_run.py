"""A process that compiles a kernel computes the bits of those that find it on disk."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
CODE = """
import hashlib
import numpy as np
import minigan
from minigan import nn

x, g = (np.asfortranarray(np.random.default_rng(i).standard_normal((64, 1024), np.float32))
        for i in range(2))
x = minigan.as_tensor(x).requires_grad_()
layer = nn.Sequential(nn.BatchNorm1d(1024, 0.8), nn.LeakyReLU(0.2))
gradients = minigan.grad(layer(x), [x, *layer.parameters()], minigan.as_tensor(g))
digest = hashlib.sha256()
for a in gradients:
    digest.update(np.ascontiguousarray(a.numpy()).tobytes())
print(digest.hexdigest())
"""


def test_the_first_run_gives_the_bits_of_the_second(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        for _ in range(2)
    ]
    assert "compiling" in runs[0].stderr and "compiling" not in runs[1].stderr
    assert runs[0].stdout and runs[0].stdout == runs[1].stdout
