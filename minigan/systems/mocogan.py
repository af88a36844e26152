"""MoCoGAN: clips in which what is seen and what happens are made of different numbers.

    python -m minigan train mocogan
    python -m minigan train mocogan --dataset gifs/            # a folder of animated GIFs
    python -m minigan draw runs/mocogan --n 16 --out clips.gif
    python -m minigan measure runs/mocogan --control

Algorithm (Tulyakov et al. 2018, equation 4; `minigan.gan.MoCoGAN`): frame t of a clip is G(z_C,
z_M(t)). The content z_C is drawn once for a clip; the motion z_M(t) is the state of a GRU that is
given new noise in each frame. With v a clip of the data, v~ one of G's, and S a frame at random,

    D_I ascends  E log D_I(S(v)) + E log(1 - D_I(S(v~)))        at the same time
    D_V ascends  E log D_V(v) + E log(1 - D_V(v~))
    G descends   -E log D_I(S(v~)) - E log D_V(v~),   the GRU with it

Both D have no batch normalisation, a linear layer before the logit, and are held back by R1
(Mescheder et al. 2018, --r1), whose slopes are those at one example of each batch. G draws one
picture of z_C, and each frame is that picture under an affine map that z_M(t) tells
(`gan.clips.WarpedContent`). That is less than the paper's G can do, which draws each frame anew;
--generator product does (`ContentTimesMotion`), for clips in which shapes change.

The data: each clip is one digit of MNIST that goes straight on through ten frames, and turns back
at the edge.

What to look at: samples/*.gif. What shows that it works: the classifier of `minigan.metrics`, which
never saw the run, says the same digit of all frames of a clip; with another z_M and the same z_C it
is still this digit; with another z_C and the same z_M the digit goes the same way (path kept: 1 -
the mean squared distance of two such paths / that of any two paths). To be read beside them: how
many different digits there are, how fast they move, and how near the frames are to real ones.
Control: fresh noise in place of the GRU: z_M(t) knows nothing of z_M(t - 1). It has z_C and the
same G, so that it keeps digits nearly as well; what it cannot do is to go on as it went (change of
motion).

Where labels differ, the picture is none of the ten digits. If z_C is normal, G makes something of
all that lies between two of them; at the default z_C is from a mixture of ten kinds, which lie
apart (DeLiGAN, Gurumurthy et al. 2017; nobody says which kind is which digit). After 18,750 steps,
half an hour to an hour of one CPU core, 94 % of 5,000 clips then have one digit in all frames (of
the control's 79 %, of real ones all); with --kinds 0 it is 89 % of 1,000. With --generator product,
where digits turned into their neighbours little by little, it was 54 % after 11,875 steps, 67 %
after 28,585, and the path depended on z_C (path kept 0.1). Seen after 5,000 steps without kinds, of
one seed each: the picture is warped 0.75; maps of half its size are, before a 3x3 convolution 0.66,
or none 0.61; product 0.42, with InfoGAN's term, which reads a class or z_C off a frame, 0.39 and
0.38.
"""

from __future__ import annotations

from ..arrays import Generator
from ..gan.clips import ContentTimesMotion, MovingContent, WarpedContent, clip_critic
from ..gan.clips import MoCoGAN as Game
from ..gan.networks import conv_discriminator
from ..gan.penalties import R1
from ..metrics.frechet import frechet_distance
from ..optim import Adam
from ..training.cli import number
from .clips import DIGITS, Digits, OfClips, float_clips
from .system import Row, add_decay, counts, falling_rates, weights
from .writing import sampled

HIDDEN = 256  # units of the networks' linear layers
GENERATORS = {"warp": WarpedContent, "product": ContentTimesMotion}


class MoCoGAN(OfClips):
    """Clips by a network of what is seen, the same in all frames, and of what happens, which a
    recurrent network tells."""

    paper = (
        "Tulyakov, Liu, Yang, Kautz 2018, MoCoGAN: Decomposing Motion and Content for Video "
        "Generation, arXiv:1707.04993"
    )
    control = "fresh noise in place of the recurrent network"
    defaults = {
        "lr": 1e-3, "epochs": 30, "batch_size": 32, "clips": 20_000, "ema": 0.999,
        "sample_interval": 200,
    }  # fmt: skip

    def options(self, parser):
        super().options(parser)
        counts(
            parser,
            ("content", 64, "numbers of z_C"),
            ("motion", 8, "numbers of z_M(t)"),
            ("features", 32, "G's channels next to the frames"),
            ("d-features", 32, "D_I's"),
            ("v-features", 8, "D_V's"),
            ("penalty-examples", 1, "of a batch, how many R1 looks at"),
        )
        parser.add_argument(
            "--generator", choices=GENERATORS, default="warp",
            help="warp: a picture of content is moved as motion says; product: numbers of content "
            "times numbers of motion, which can change shapes, too (default %(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--kinds", type=number(int, 0), default=10,
            help="parts of a mixture that z_C is drawn from, 0: one normal distribution (default "
            "%(default)s)",
        )  # fmt: skip
        weights(parser, ("r1", 1.0, "gamma of the penalty R1 on both D's slopes at real examples"))
        add_decay(parser, 0.0)

    def complete(self, config):
        return super().complete({"kinds": 0} | config)  # runs from before have no mixture

    def game(self, c):
        if c.kinds > c.content:
            raise ValueError(f"--kinds {c.kinds}: at most --content {c.content}")
        channels, frames, *sides = c.clip_shape
        shape = (channels, *sides)
        draw = GENERATORS[c.generator](c.content, c.motion, shape, c.features, HIDDEN)
        G = MovingContent(draw, c.motion, not c.control)
        D_I = conv_discriminator(*shape, c.d_features)
        D_V = clip_critic(tuple(c.clip_shape), c.v_features, HIDDEN)
        penalties = [R1(c.r1)] if c.r1 else []
        return Game(
            G, D_I, D_V, frames, c.content, c.motion, penalties, c.penalty_examples, c.kinds
        )

    def optimizers(self, game, c):
        return {n: Adam(m.parameters(), c.lr, (c.b1, 0.99)) for n, m in game.players.items()}

    def callbacks(self, trainer, c, steps):
        return falling_rates(trainer, c, steps)

    def measure(self, game, c, samples, device):
        if c.pictures not in DIGITS or c.ground != "black":
            return super().measure(game, c, samples, device)
        test, train = (self.clips_of(c, split).clips for split in ("test", "train"))
        n = min(samples, len(test))
        real, other = (Digits(float_clips(clips[:n]), device) for clips in (test, train))
        content, noise = game.inputs(n, Generator(0), device)
        other_content, other_noise = game.inputs(n, Generator(1), device)
        made, moved, changed = (
            Digits(sampled(game, inputs), device)
            for inputs in ((content, noise), (content, other_noise), (other_content, noise))
        )
        far = lambda a, b: float(((a - b) ** 2).sum(-1).mean())
        kept = 1 - far(made.path, changed.path) / max(far(made.path, moved.path), 1e-9)
        return [
            Row("one label", made.one, real.one, target=0.9,
                note="clips of which all frames are the same digit, by the classifier"),
            Row("label kept", float((made.label == moved.label).mean()), 1.0,
                note="with the same z_C and another z_M"),
            Row("path kept", kept, 1.0, note="with the same z_M and another z_C"),
            Row("different digits", made.kinds, real.kinds, note="exp of their entropy"),
            Row("pixels a frame", made.step, real.step, note="how far the digit goes"),
            Row("change of motion", made.turn, real.turn, "down", note="pixels, frame to frame"),
            Row("frechet", frechet_distance(real.features, made.features),
                frechet_distance(real.features, other.features), "down",
                note="of the classifier's features of frames"),
        ]  # fmt: skip
