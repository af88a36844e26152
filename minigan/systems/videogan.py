"""VideoGAN: clips of something that moves before a background that stands still.

    python -m minigan train videogan
    python -m minigan train videogan --dataset gifs/           # a folder of animated GIFs
    python -m minigan draw runs/videogan --n 16 --out clips.gif
    python -m minigan measure runs/videogan --control

Algorithm (Vondrick, Pirsiavash, Torralba 2016, section 3; `minigan.gan.VideoGAN`): of z, G makes a
foreground f and a mask m by transposed 3-d convolutions, and a background b by 2-d ones, which is
the same in all frames:

    x~ = m f + (1 - m) b
    D ascends   E log D(x) + E log(1 - D(x~)), D by 3-d convolutions
    G descends  -E log D(x~) + sparsity E |m|

D has no batch normalisation, a linear layer before the logit, and is held back by R1 (Mescheder et
al. 2018, --r1), whose slope is that at one clip of each batch.

The data: digits of MNIST that move on patches of photographs (of scikit-image; made textures where
it is not installed), which stand still.

What to look at: samples/*.gif. What shows that it works: how much pixels vary in time, as the
variance of their values from -1 to 1: where the mask is not (background variance), and in the half
of each clip that varies least, which can be measured without a mask, too (still variance): 0 in
real clips. To be read beside them: how large the mask is, how much the tenth varies that varies
most, and how near the clips are to real ones.
Control: one stream: G is f alone.

At its defaults (2,000 steps, some five minutes of one CPU core) backgrounds are blurred, and what
moves is a bright spot, not yet a digit.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Generator
from ..gan.clips import TwoStreams, clip_critic
from ..gan.clips import VideoGAN as Game
from ..gan.penalties import R1
from ..optim import Adam
from .clips import OfClips, float_clips
from .system import Row, counts, weights
from .writing import sampled

MOST = 500  # clips that are measured


class VideoGAN(OfClips):
    """Clips by a network of what moves, a mask, and a network of the background, which stands
    still."""

    paper = (
        "Vondrick, Pirsiavash, Torralba 2016, Generating Videos with Scene Dynamics, "
        "arXiv:1609.02612"
    )
    control = "one stream: no mask, no background"
    ground = "auto"
    scale = 0.7
    defaults = {
        "lr": 1e-3, "epochs": 8, "batch_size": 16, "ema": 0.999, "sample_interval": 200,
    }  # fmt: skip

    def options(self, parser):
        super().options(parser)
        counts(
            parser,
            ("latent-dim", 64, "numbers of z"),
            ("features", 8, "G's channels next to the clips"),
            ("d-features", 8, "D's"),
            ("penalty-examples", 1, "of a batch, how many R1 looks at"),
        )
        weights(
            parser,
            ("sparsity", 0.1, "weight of the mask's size"),
            ("r1", 1.0, "gamma of the penalty R1 on D's slope at real clips"),
        )

    def optimizers(self, game, c):
        return {n: Adam(m.parameters(), c.lr, (c.b1, 0.99)) for n, m in game.players.items()}

    def game(self, c):
        shape = tuple(c.clip_shape)
        G = TwoStreams(c.latent_dim, shape, c.features, not c.control)
        D = clip_critic(shape, c.d_features, hidden=256)
        return Game(G, D, c.latent_dim, c.sparsity, [R1(c.r1)] if c.r1 else (), c.penalty_examples)

    def measure(self, game, c, samples, device):
        n = min(samples, MOST)
        (latents,) = game.inputs(n, Generator(0), device)
        made, real = sampled(game, (latents,)), float_clips(self.clips_of(c).clips[:n])
        mask = game.masks(latents)
        hidden, size = math.nan, math.nan
        if mask is not None:
            m = mask.cpu().numpy()[:, 0]
            size, away = float(m.mean()), 1 - m.max(1)
            hidden = float((away * in_time(made)).sum() / away.sum())
        still, most = (varying(made, *part) for part in ((0, 0.5), (0.9, 1)))
        real_still, real_most = (varying(real, *part) for part in ((0, 0.5), (0.9, 1)))
        return [
            Row("background variance", hidden, 0.0, "down", note="in time, where the mask is not"),
            Row("still variance", still, real_still, "down",
                note="in time, of the half of each clip that varies least"),
            Row("moving variance", most, real_most, note="of the tenth that varies most"),
            Row("mask", size, note="its mean"),
            *super().measure(game, c, samples, device),
        ]  # fmt: skip


def in_time(clips: np.ndarray) -> np.ndarray:
    """The variance in time of each pixel, a mean over channels: (N, H, W)."""
    return clips.var(2).mean(1)


def varying(clips: np.ndarray, low: float, high: float) -> float:
    """The mean variance in time of the pixels of each clip between these shares, by how much they
    vary."""
    found = np.sort(in_time(clips).reshape(len(clips), -1), 1)
    numbers = found.shape[1]
    return float(found[:, round(low * numbers) : round(high * numbers)].mean())
