"""The one command: `python -m minigan train|draw|measure|report|export|list`, and what later
packages add to `VERBS`."""

from __future__ import annotations

import argparse
import functools
import inspect
import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..arrays import DeviceError, Generator, manual_seed, resolve_device, to_device
from ..autograd import tensor_of
from ..data.files import write_atomic
from ..data.pairfolder import read_pictures
from ..gan import Trainer
from ..training import Run, Stage
from ..training.checkpoint import checkpoints
from ..training.cli import SEED, about, add_run_options, number, perform, usual_callbacks
from ..training.memory import room_for_networks
from ..training.pretrained import saved_state
from ..training.terminal import program
from ..viz import as_bytes, beside, image_grid, save_gif, save_grid, save_images
from . import SYSTEMS, load_game, system, zoo
from .evidence import NoClassifier, floats, principal_rows
from .sharing import export, report, what
from .system import System, facts_of, in_stage, label_of
from .writing import sampled

DEFAULTS = {"epochs": 10, "batch_size": 64, "ema": 0.99, "sample_interval": 400}
# options that are facts of every run, beside those of the system
COMMON = ("batch_size", "ema", "seed", "control")


# --- train ---


def parser_of(kind: System) -> argparse.ArgumentParser:
    """The options of every run, and those of the system."""
    text = inspect.cleandoc(type(kind).__doc__ or "")
    p = argparse.ArgumentParser(
        prog=f"python -m minigan train {kind.name}",
        description=f"{text}\n\n{kind.paper}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    given = DEFAULTS | kind.defaults
    p.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    data = p.add_argument_group("data")
    kind.data_options(data)
    data.add_argument(
        "--epochs",
        type=number(int, 1),
        default=given["epochs"],
        help="passes through the data (default %(default)s)",
    )
    data.add_argument("--batch-size", type=number(int, 2), default=64, help="(default %(default)s)")
    kind.options(p)
    if kind.averaged:
        p.add_argument(
            "--ema",
            type=number(float, 0, below=1),
            default=0.99,
            help=f"decay per step of the averaged weights of {kind.averaged}, which are used then; "
            "0: none (default %(default)s)",
        )
    if kind.control:
        p.add_argument(
            "--control", action="store_true", help=f"train what it is measured by: {kind.control}"
        )
    run = p.add_argument_group("run")
    add_run_options(run, f"runs/{kind.name}", given["sample_interval"])
    p.set_defaults(**given)
    return p


def parse(kind: System, words: list[str]) -> argparse.Namespace:
    """The options of `train`, checked."""
    p = parser_of(kind)
    p.set_defaults(**kind.recipe(words))
    options = p.parse_args(words)
    options.control = getattr(options, "control", False)
    if not kind.averaged:
        options.ema = 0.0
    if not kind.draws or kind.writes:
        options.no_doctor = True
        if options.evaluate:
            raise ValueError(f"--evaluate: {kind.name} makes no pictures that could be evaluated")
    if options.control and options.out == f"runs/{kind.name}":
        options.out += "-control"
    return options


def build(kind: System, options: argparse.Namespace) -> Run:
    """The run that the options describe."""
    device = resolve_device(options.device)
    epochs = round(options.epochs * (kind.control_epochs if options.control else 1))
    data = kind.data(options)
    print(f"device: {device}; data: {data.name}, {len(data)} examples ({data.source})")
    manual_seed(options.seed)
    own = argparse.ArgumentParser()
    kind.options(own)
    names = [*COMMON, *vars(own.parse_args([]))]
    config = {"system": kind.name} | {name: getattr(options, name) for name in names}
    config |= kind.facts(data, options)
    if options.batch_size > (n := kind.examples(data)):
        raise ValueError(f"--batch-size {options.batch_size}, and there are {n} examples: lower it")
    columns = ("labels",) if {"classes", "labels"} & config.keys() else ()
    c = facts_of(config)
    config |= {"dataset": data.name, "checksum": data.checksum_of(columns)}
    parts = functools.partial(_parts, kind, data, device)
    stages = [
        Stage(name, functools.partial(parts, in_stage(c, name)), steps)
        for name, steps in kind.stages(c).items()
    ]
    trainer, batches = (None, None) if stages else parts(c)
    shown = kind.shown(data, options)
    exhibit = lambda game, random, place: kind.exhibit(game, shown, random, place)
    callbacks = usual_callbacks(
        options, kind.averaged, data, device, exhibit, what(kind), kind.hands_on
    )
    steps = sum(s.steps for s in stages) if batches is None else len(batches) * epochs
    # before those that save, so that a checkpoint has what they did at its step
    callbacks = [*kind.callbacks(trainer, c, steps), *callbacks]
    return Run(
        trainer, batches, options.out, config, stages=stages,
        epochs=None if stages else epochs, max_steps=options.max_steps,
        callbacks=callbacks, resume=options.resume, new_data=options.new_data, about=about(options),
        graph=not options.no_graph, sync_bn=options.sync_bn,
        complete=kind.complete,
    )  # fmt: skip


def _parts(kind: System, data, device, c, players=None) -> tuple[Trainer, Any]:
    """The trainer and the batches of a run, or of a stage after which there are `players`."""
    with room_for_networks("--latent-dim, or the networks' sizes", place=device):
        game = kind.game_after(players, c) if players else kind.game(c)
    for name, player in game.to(device).players.items():
        print(f"{name}: {sum(p.numel() for p in player.parameters()):,} parameters")
    kind.begin(game, data, c, device)
    trainer = Trainer(game, kind.optimizers(game, c), kind.constraints(game, c))
    return trainer, kind.batches(game, data, c, device)


def train(name: str, words: list[str]) -> int:
    kind = system(name)
    options = parse(kind, words)
    return perform(lambda: build(kind, options))


# --- draw ---


def draw(words: list[str]) -> int:
    p = argparse.ArgumentParser(
        prog="python -m minigan draw", description="Pictures by a saved run, of any system."
    )
    zoos = ", ".join(f"zoo:{name}" for name in zoo.index())
    p.add_argument("run", help=f"folder of a run, such as runs/cgan, or of the package: {zoos}")
    p.add_argument("--n", type=number(int, 1), default=25, help="how many (default %(default)s)")
    p.add_argument(
        "--from", nargs="+", dest="sources", metavar="FILE",
        help="of translators: what is made of each of these pictures, or of all in a folder; with "
        "--out FOLDER under their own names",
    )  # fmt: skip
    p.add_argument(
        "--text", help="of runs on captions: what is to be seen; of translators of glyphs: a line "
        "of text in the font they make",
    )  # fmt: skip
    p.add_argument(
        "--back", action="store_true", help="of translators of both directions: from B to A"
    )
    p.add_argument("--label", help="of conditional runs: all of this class, a number or a name")
    p.add_argument(
        "--out",
        help="a folder (a file for each picture), FILE.png (a grid), FILE.npz (images uint8 "
        "(N, H, W[, C]), and labels), of what draws pixel by pixel FILE.gif; of what is no picture "
        "FILE.txt, .gif or the like, FILE.npz (samples), or a folder (default: RUN/drawn.png, "
        "or .txt, .gif ...; of the zoo drawn.png)",
    )
    p.add_argument("--seed", type=SEED, default=0, help="of what is drawn (default %(default)s)")
    p.add_argument("--best", action="store_true", help="the state that evaluations found best")
    p.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:N or auto")
    options = p.parse_args(words)
    device = resolve_device(options.device)
    kind, game, c, _ = load_game(options.run, device, best=options.best)
    if not kind.draws:
        raise ValueError(f"{options.run}: {kind.name} makes no pictures, so there are none to draw")
    if options.back:
        try:
            game = game.reversed()
        except ValueError as error:
            raise ValueError(f"--back: {kind.name}: {error}") from None
    random = Generator(options.seed)
    if options.text is not None:
        found = kind.of_text(game, c, options.text, device, options.n, random)
        print(f"written: {write(found, None, options)}")
        return 0
    given = with_given(c, options.run)
    if not options.sources:
        kind.ready(game, given, device)
    if kind.writes:
        print(f"written: {kind.write(game, given, options, random, device)}")
        return 0
    pictures, names = None, None
    if options.sources:
        if game.source_shape is None:
            raise ValueError(f"--from: {kind.name} makes no pictures of pictures")
        pictures, names = read_pictures(options.sources, game.source_shape)
        inputs = game.inputs_of(tensor_of(to_device(floats(pictures), device)), random)
    else:
        inputs = game.inputs(options.n, random, device)
    if options.label is not None:
        try:
            inputs = game.asked(inputs, label_of(options.label, c) if game.classes else 0)
        except ValueError as error:
            raise ValueError(f"--label {options.label} of {options.run}: {error}") from error
    if options.out is not None and Path(options.out).suffix == ".gif":
        rows = math.ceil(math.sqrt(len(inputs[0])))
        frames = [image_grid(frame.cpu().numpy(), rows) for frame in game.frames(*inputs)]
        save_gif(options.out, frames)
        print(f"written: {options.out}")
        return 0
    labels = inputs[-1].cpu().numpy() if game.classes else None
    print(f"written: {write(sampled(game, inputs), labels, options, pictures, names)}")
    return 0


def with_given(c: Any, run: str) -> SimpleNamespace:
    """A run's facts and, as `pictures`, what its --dataset named, and its --size."""
    path = Path(run) / "config.json"
    options = json.loads(path.read_bytes()).get("options", {}) if path.is_file() else {}
    given = {"pictures": options.get("dataset", c.dataset), "size": options.get("size")}
    return SimpleNamespace(**given | vars(c))


def write(
    images: np.ndarray, labels: np.ndarray | None, options: argparse.Namespace,
    pictures: np.ndarray | None = None, names: list[str] | None = None,
) -> str:  # fmt: skip
    """Images (N, C, H, W) in the form that --out asks for, a grid beside the pictures that they
    were made of; what was written, for people."""
    folder = Path("." if zoo.named(options.run) else options.run)
    out = Path(options.out or folder / "drawn.png")
    if out.suffix == ".png" and pictures is not None:
        beside(pictures, images).save(out)
        return str(out)
    if out.suffix == ".png":
        save_grid(out, images, math.ceil(math.sqrt(len(images))))
        return str(out)
    if out.suffix != ".npz":
        save_images(out, images, names)
        return f"{len(images)} pictures in {out}"
    pixels = as_bytes(images).transpose(0, 2, 3, 1)
    arrays = {"images": pixels[..., 0] if pixels.shape[-1] == 1 else pixels}
    buffer = io.BytesIO()
    arrays |= {} if labels is None else {"labels": labels}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_atomic(out, buffer.getvalue())
    return f"{len(images)} images in {out}"


# --- measure ---


def measure(words: list[str]) -> int:
    p = argparse.ArgumentParser(
        prog="python -m minigan measure",
        description="Measure a saved run: each number beside that of a control, in which the "
        "system's idea is switched off, and what real data reach. Writes RUN/measure.json.",
    )
    p.add_argument("run", help="folder of a run, such as runs/cgan")
    p.add_argument(
        "--control", nargs="?", const="", metavar="RUN",
        help="measure a control, too: RUN-control, which is trained now as far as it is not, or "
        "this run, as it is",
    )  # fmt: skip
    p.add_argument("--samples", type=number(int, 100), default=10_000, help="(default %(default)s)")
    p.add_argument("--data-dir", help="folder with the four idx files of MNIST")
    p.add_argument("--best", action="store_true", help="the state that evaluations found best")
    p.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:N or auto")
    options = p.parse_args(words)
    if zoo.named(options.run):
        raise ValueError(f"{options.run} was measured: {zoo.FOLDER / 'index.json'} has its numbers")
    device = resolve_device(options.device)
    if options.control and zoo.named(options.control):
        raise ValueError(f"--control {options.control}: name the folder of a run")
    kind, rows, step = measured(options.run, options, device)
    control: dict[str, float] = {}
    if options.control is not None:
        folder = options.control or f"{options.run.rstrip('/')}-control"
        begun = bool(checkpoints(folder))
        done = begun and (options.control or not how_far(folder))
        if not done and (code := train_control(options.run, folder, kind, begun)):
            return code
        control = {row.name: row.value for row in measured(folder, options, device)[1]}
    found = [row._asdict() | {"control": control.get(row.name, math.nan)} for row in rows]
    result = {"system": kind.name, "run": options.run, "step": step, "samples": options.samples}
    result |= {"control": kind.control, "rows": found}
    write_atomic(Path(options.run) / "measure.json", json.dumps(_finite(result), indent=1).encode())
    print(table(result))
    return 0


def measured(folder: str, options: argparse.Namespace, device):
    """(system, its rows, the step) of a run."""
    kind, game, c, step = load_game(folder, device, best=options.best)
    c = SimpleNamespace(
        **vars(with_given(c, folder)) | {"data_dir": options.data_dir, "folder": Path(folder)}
    )
    if not options.best and (found := how_far(folder)):
        print(f"{folder} is {found}: train it with --resume to its end", flush=True)
    try:
        return kind, kind.measure(game, c, options.samples, device), step
    except NoClassifier:
        if not kind.draws:
            raise
        return kind, principal_rows(kind, game, c, options.samples, device), step


def how_far(folder: str) -> str:
    """At which step of how many a run is; nothing where it came to its end, or does not say (runs
    from before)."""
    _, state = saved_state(folder)
    step, total = state["step"], state.get("total", state["step"])
    return f"at step {step} of {total}" if step < total else ""


def train_control(run: str, folder: str, kind: System, resume: bool = False) -> int:
    """Train the control of a run with its options, or go on with it; the exit code."""
    if not kind.control:
        raise ValueError(f"--control: {kind.name} has no control, its idea cannot be switched off")
    config = json.loads((Path(run) / "config.json").read_bytes())
    does = "going on with" if resume else "training"
    print(f"{does} the control ({kind.control}) into {folder}", flush=True)
    p = parser_of(kind)
    # what came since it was made
    later = {a.dest: p.get_default(a.dest) for a in p._actions}
    later |= {k: v for k, v in kind.complete(config).items() if k in later}
    given = later | config["options"] | {"control": True, "out": folder, "resume": resume}
    options = argparse.Namespace(**given)
    code = perform(lambda: build(kind, options), again="")
    if code and resume:
        print(f"measure {run} --control {folder} measures it as it is", file=sys.stderr)
    return code


def _finite(value):
    """NaN becomes None, as JSON has none."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(result: dict) -> str:
    """The rows for people to read."""
    shown = lambda x: f"{'':>12}" if x is None or math.isnan(x) else f"{x:12.4f}"
    lines = [
        f"{result['system']}, step {result['step']}, {result['samples']} samples",
        *([f"control: {result['control']}"] if result["control"] else []),
        f"{'':24}{'value':>12}{'control':>12}{'real data':>12}{'target':>12}   better",
    ]
    for row in result["rows"]:
        numbers = "".join(shown(row[k]) for k in ("value", "control", "ceiling", "target"))
        lines.append(f"{row['name']:24}{numbers}   {row['better']:6} {row['note']}")
    return "\n".join(lines)


# --- list, and which of them ---


def listing(words: list[str]) -> int:
    p = argparse.ArgumentParser(prog="python -m minigan list", description="All systems.")
    p.parse_args(words)
    for name in SYSTEMS:
        kind = system(name)
        print(f"{name:12} {what(kind)['text']}\n{'':12} {kind.paper}")
    for name, entry in zoo.index().items():
        print(f"zoo:{name:8} made by {entry['command']}")
    return 0


USAGE = """usage: python -m minigan train NAME [options]     train a system
       python -m minigan draw RUN [options]       pictures by a saved run
       python -m minigan measure RUN [options]    what shows that it works, beside a control
       python -m minigan live [RUN]               a page: play, watch, walk
       python -m minigan report RUN [options]     a page about a run
       python -m minigan export RUN [options]     its networks as ONNX files
       python -m minigan list                     all systems

Each says more with --help, `train NAME --help` with the options of that system."""

VERBS: dict[str, Callable[[list[str]], int]] = {
    "draw": draw, "measure": measure, "report": report, "export": export, "list": listing,
}  # fmt: skip


@program
def main(arguments=None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] in ([], ["--help"], ["-h"]):
            print(USAGE)
            return 0 if words else 2
        if words[0] in VERBS:
            return VERBS[words[0]](words[1:])
        if words[0] != "train":
            known = f"{', '.join(['train', *VERBS][:-1])} or {list(VERBS)[-1]}"
            raise ValueError(f"there is no command {words[0]!r}: {known}")
        if words[1:2] in ([], ["--help"], ["-h"]):
            print(f"{USAGE}\n\nNAME is one of: {', '.join(SYSTEMS)}")
            return 0 if words[1:] else 2
        return train(words[1], words[2:])
    except (DeviceError, ImportError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error.strerror or error} ({error.filename})", file=sys.stderr)
        return 2
