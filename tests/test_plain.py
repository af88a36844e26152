"""The textbook computes everything by itself, also on CUDA's arrays: here without the fast path, on
the device that is not there.

(`.ci/plain` runs the other tests where the fast path and Numba are gone.)
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def plain(*command, **more):
    """Run Python without the fast path; the output's text."""
    env = {**os.environ, "MINIGAN_PLAIN": "1", **more}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=600, cwd=ROOT, env=env
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


TRAINS = """
import sys
sys.path.insert(0, "tests")
import fakecuda, numpy as np, minigan
from minigan.gan import GAN, NonSaturating, Trainer
from minigan.gan import dcgan_discriminator, dcgan_generator, mlp_discriminator, mlp_generator
from minigan.gan.penalties import GradientPenalty
from minigan.gan.objectives import Wasserstein
from minigan.optim import SGD, Adam

assert "minigan.fast" not in sys.modules and sys.modules.get("numba") is None

def weights(device, make, objective, penalties, optimizer):
    minigan.manual_seed(0)
    G, D = make()
    images = minigan.rand(6, 1, 28, 28)
    for net in (G, D):
        net.to(device)
    optimizers = {"G": optimizer(G.parameters()), "D": optimizer(D.parameters())}
    trainer = Trainer(GAN(G, D, objective, 8, penalties=penalties), optimizers)
    for _ in range(2):
        trainer.play(images.to(device))
    return [p.detach().cpu().numpy() for net in (G, D) for p in net.parameters()]

mlp = lambda: (mlp_generator(8), mlp_discriminator())
dcgan = lambda: (dcgan_generator(8, 1, 28, 28, 2), dcgan_discriminator(1, 28, 28, 2))
runs = [
    (mlp, NonSaturating(), (), lambda p: SGD(p, 0.1)),
    (dcgan, NonSaturating(), (), lambda p: SGD(p, 0.1, momentum=0.5)),
    (mlp, Wasserstein(), (GradientPenalty(),), lambda p: SGD(p, 0.01)),
]
with fakecuda.installed():
    for run in runs:
        for a, b in zip(weights("cpu", *run), weights("cuda", *run), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
print("the same")
"""


def test_games_are_the_same_on_both_libraries():
    """An MLP GAN, a DCGAN and a WGAN-GP critic, by formulas and references alone."""
    assert plain("-c", TRAINS) == "the same\n"


def test_ops_on_the_other_library():
    """The op table on arrays that refuse to meet NumPy's; a share of it, the rest is in
    `.ci/plain`."""
    some = "other_library and (conv2d or norm or pool or linear)"
    assert " passed" in plain(
        "-m", "pytest", "-v", "-p", "no:cacheprovider", "tests/ops/test_ops.py", "-k", some
    )


def test_doors_without_the_fast_path():
    """What is replayed with it is called without; and asking does not bring it in."""
    code = """
import sys, minigan
def step(x): return x * 2
assert minigan.cpu.graph(step) is step and minigan.cuda.graph(step) is step
try: minigan.set_num_threads(1)
except RuntimeError as error: print(error)
assert "minigan.fast" not in sys.modules and minigan.get_num_threads() > 0
"""
    assert "OMP_NUM_THREADS" in plain("-c", code)
