"""Short runs of every system, on the digits that the package has in it."""

import contextlib
from unittest import mock

from minigan.systems import SYSTEMS, system
from minigan.systems.command import main
from minigan.training import load_checkpoint
from minigan.training.callbacks import Callback, Metrics, Report, Samples, average


def train(name, out, steps, *more, device="cpu", described=True):
    """A few steps, after the second of which weights are averaged; the exit code.

    described: with pictures on the way, the curves and the page at the end, which cost more than
    the steps; without them the pictures at the end are made, but not written
    """
    if name in OF:
        finished = out.parent / "finished"
        if not finished.exists():
            assert train(OF[name], finished, 2, described=False) == 0
        more = ("--of", str(finished), *more)
    data = "glyphs" if name in PAIRS else DATA.get(system(name).writes)
    words = [
        *(["--dataset", data] if data else []),
        "--batch-size",
        "8",
        "--max-steps",
        str(steps),
        "--out",
        str(out),
        "--quiet",
        "--no-doctor",
        "--sample-interval",
        "4" if described else "100",
        *SMALL.get(name, []),
        *more,
    ]
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(average, "EVERY", 2))
        if not described:
            for kind in (Metrics, Report):
                stack.enter_context(mock.patch.object(kind, "on_end", Callback.on_end))
            unwritten = lambda samples, run, folder: samples.draw()
            stack.enter_context(mock.patch.object(Samples, "_save", unwritten))
        return main(["train", name, "--device", device, *words])


# systems that are about a finished run, and the system of that run
OF = {"features": "gan", "inference": "gan", "lsro": "gan"}
# systems that make a picture of a picture
PAIRS = ["pix2pix", "pan", "cyclegan"]
# systems that write texts
TEXTS = [name for name in SYSTEMS if system(name).writes == "texts"]
# systems that make something else than pictures, and no texts
OTHERS = [name for name in SYSTEMS if system(name).writes not in ("", "texts")]
# what a system makes -> its data here, where they are not the default's
DATA = {"": "strokes", "texts": "oracle", "series": "made-voices", "clips": "strokes"}
CLIPS = [name for name in SYSTEMS if system(name).writes == "clips"]
# systems without a G that makes something of latents in one go: vaw-gan's makes frames
NO_LATENTS = [*PAIRS, *TEXTS, *[name for name in OTHERS if name != "vaw-gan"], "dann", "arda",
              "srgan", "segan", "camstyle", "pixelcnn", "pixelrnn"]  # fmt: skip
# systems whose rounds are not repeated as one function: numbers of theirs change with the step
PLAYED = ["magan", "unrolled"]
MOVING = ["--clips", "40", "--frames", "4", "--side", "16", "--scale", "0.3"]
# options that make steps short
SMALL = {
    "dcgan": ["--features", "4"], "wgan-gp": ["--k", "1"], "unrolled": ["--unroll", "1"],
    "cogan": ["--features", "2", "--weight", "1"],
    "dann": ["--target", "edges", "--width", "2"],
    "arda": ["--target", "textures", "--width", "2", "--k", "1"],
    "acgan": ["--features", "4"], "infogan": ["--features", "4", "--hidden", "8"],
    "ss-infogan": ["--features", "4", "--hidden", "8"],
    "pixelcnn": ["--shrink", "4", "--width", "2", "--blocks", "1"],
    "replay": ["--tasks", "2", "--task-steps", "4"],
    "pixelrnn": ["--shrink", "4", "--width", "2", "--blocks", "1"],
    "segan": ["--ground", "textures", "--width", "2"], "lsro": ["--width", "2", "--labels", "20"],
    "srgan": ["--content-steps", "2", "--width", "4", "--blocks", "1", "--features", "2"],
    "triple-gan": ["--alone-steps", "1", "--pair-steps", "1", "--pseudo-steps", "4"],
    "gogan": ["--stage-steps", "4", "--k", "1"],
    "progan": ["--start", "16", "--steps", "3", "--fade", "3", "--width", "8"],
    "camstyle": ["--style-steps", "2", "--features", "2", "--blocks", "1", "--labels", "20"],
    "text2image": ["--features", "2", "--d-features", "2"],
    "stackgan": ["--features", "2", "--d-features", "2", "--first-steps", "4", "--steps", "6"],
    "seqgan": ["--words", "30", "--longest", "6", "--mle-steps", "1", "--d-first-steps", "1",
               "--steps", "4", "--d-steps", "2", "--rollouts", "2", "--hidden", "6", "--filters",
               "2"],
    "c-rnn-gan": ["--dataset", "made-tunes", "--notes", "3", "--hidden", "6", "--d-hidden", "4"],
    "organ": ["--dataset", "made-tunes", "--mle-steps", "1", "--d-first-steps", "1", "--steps", "4",
              "--rollouts", "2", "--hidden", "6", "--filters", "2"],
    "gail": ["--episodes", "1", "2", "--steps", "5", "--walkers", "2", "--horizon", "8",
             "--passes", "1", "--parts", "2", "--hidden", "4"],
    "airl": ["--episodes", "4", "--walkers", "2", "--horizon", "8", "--passes", "1", "--parts",
             "2"],
    "vaw-gan": ["--vae-steps", "2", "--steps", "4", "--k", "1", "--hidden", "8",
                "--latent-dim", "2"],
    "videogan": [*MOVING, "--features", "2", "--d-features", "2", "--ground", "textures"],
    "mocogan": [*MOVING, "--features", "2", "--d-features", "2"],
    "posegan": ["--dataset", "walkers", "--clips", "40", "--frames", "6", "--past", "2", "--side",
                "16", "--features", "2", "--hidden", "6", "--pose-steps", "4", "--steps", "6"],
} | {name: ["--features", "2"] for name in PAIRS}  # fmt: skip


def state(out):
    """All tensors and numbers of the newest checkpoint."""
    found = {}

    def visit(value, name):
        for key, part in (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        ):
            visit(part, f"{name}.{key}")
        if not isinstance(value, (dict, list)):
            found[name] = value

    newest = sorted(out.glob("checkpoints/0*.safetensors"))[-1]
    visit({k: v for k, v in load_checkpoint(newest).items() if k != "config"}, "")
    return found
