"""Tiny runs, which a test makes by itself and under mpirun: `python play.py FOLDER [HALF]`."""

import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.data.batches import Batches
from minigan.distributed import group
from minigan.gan import GAN, OBJECTIVES, PENALTIES, Pack, Trainer
from minigan.gan.ebgan import BEGAN
from minigan.optim import Adam
from minigan.training import Run
from minigan.training.callbacks import Average, Checkpoints, Doctor, Metrics
from minigan.training.ranks import join

BATCH = 7  # neither 2 nor 3 divides it
STEPS = 6  # the first two are recorded, the third is checked, the others repeat


def mlp(width=8):
    G = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 16), nn.Tanh())
    D = nn.Sequential(nn.Linear(16, 8), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(8, 1))
    return GAN(G, D, OBJECTIVES["nonsaturating"](), 3)


def dcgan():
    G = nn.Sequential(
        nn.Linear(3, 32, bias=False), nn.BatchNorm1d(32), nn.ReLU(), nn.Unflatten(1, (8, 2, 2)),
        nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    D = nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 4, 3, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(4, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Flatten(),
        nn.Linear(8, 1),
    )  # fmt: skip
    return GAN(nn.Sequential(G, nn.Flatten()), D, OBJECTIVES["nonsaturating"](), 3)


def pacgan():
    G = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 16), nn.Tanh())
    D = nn.Sequential(nn.Linear(32, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    return GAN(G, D, OBJECTIVES["nonsaturating"](), 3, views=Pack(2))


def wgan_gp():
    G = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 16), nn.Tanh())
    # (Without a bias at its end, on which its value does not depend: Adam would follow rounding.)
    D = nn.Sequential(
        nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1, bias=False)
    )
    return GAN(G, D, OBJECTIVES["wasserstein"](), 3, k=2, penalties=PENALTIES["gradient"]())


def began():
    G = nn.Sequential(nn.Linear(3, 16), nn.Tanh())
    return BEGAN(G, nn.Sequential(nn.Linear(16, 4), nn.Linear(4, 16)), 3)


GAMES = {"mlp": mlp, "dcgan": dcgan, "wgan_gp": wgan_gp, "began": began, "pacgan": pacgan}


def run(
    folder, kind, steps=STEPS, resume=False, batch_size=BATCH, sync_bn=True, callbacks=(), save=1e9,
    device="cpu", graph=True,
):  # fmt: skip
    """The run of this game, not yet made. save: seconds between checkpoints"""
    minigan.manual_seed(5)
    game = GAMES[kind]().to(device)
    optimizers = {name: Adam(p.parameters(), 0.01) for name, p in game.players.items()}
    images = Generator(1).normal((30, 16))
    images = np.clip(images, -1, 1).astype(np.float32)
    looks = [Doctor(2), Metrics(1)] if kind == "dcgan" and resume else []
    usual = [Average(game.G, 0.9), *looks, Checkpoints(save, 3)]
    if kind == "pacgan":
        batch_size = 10  # five pairs
    batches = Batches(images, batch_size, 0, minigan.device(device))
    return Run(
        Trainer(game, optimizers), batches, Path(folder) / kind, {"kind": kind},
        epochs=100, max_steps=steps, callbacks=[*usual, *callbacks], resume=resume,
        sync_bn=sync_bn, graph=graph,
    )  # fmt: skip


def digest(run):
    """A checksum of all that is trained, and of the random state."""
    state = run.state_dict()
    text = repr((state["random"], leaves(state["trainer"])))
    return hashlib.sha256(text.encode()).hexdigest()


def leaves(state):
    if isinstance(state, dict):
        return [leaves(v) for v in state.values()]
    if isinstance(state, (list, tuple)):
        return [leaves(v) for v in state]
    return state.tolist() if hasattr(state, "tolist") else state


def main(folder, half=""):
    """Each game in FOLDER/whole, all steps; and in FOLDER/resumed, 2 steps, and the others after a
    resume. What the first two have left is in FOLDER/half. With another such folder, HALF: its
    games in FOLDER/other, the other steps."""
    join()
    for kind in GAMES:
        train(run(f"{folder}/whole", kind))
        train(run(f"{folder}/resumed", kind, 2))
        if group.rank() == 0:
            shutil.copytree(f"{folder}/resumed/{kind}", f"{folder}/half/{kind}")
            if half:
                shutil.copytree(f"{half}/{kind}", f"{folder}/other/{kind}")
        train(run(f"{folder}/resumed", kind, resume=True))
        if half:
            train(run(f"{folder}/other", kind, resume=True))


def train(made):
    made.train()
    digests = group.told(digest(made))
    assert len(set(digests)) == 1, (made.folder, digests)


if __name__ == "__main__":
    main(*sys.argv[1:])
