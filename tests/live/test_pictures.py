"""The live page's other parts: a run on a folder of pictures, held and changed, then opened again;
sliders and classes."""

import asyncio
import io
from types import SimpleNamespace

import numpy as np
import pytest
from live.serving import Page, serving
from PIL import Image

from minigan.arrays import Generator
from minigan.gan import GAN, NonSaturating, mlp_generator
from minigan.live.explore import Explorer
from minigan.live.walk import WalkView
from minigan.nn import Flatten, Linear, Sequential
from minigan.systems import load_game
from minigan.systems.cgan import CGAN
from minigan.systems.command import main
from minigan.training import Doctor

pytest.importorskip("aiohttp", reason="the live page needs aiohttp")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two classes, bars that lie and bars that stand."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name in ("lying", "standing"):
        (folder / name).mkdir()
        for i in range(40):
            image = np.zeros((28, 28), np.uint8)
            image[random.integers(4, 24) :][:3] = 255
            image = image if name == "lying" else image.T
            Image.fromarray(np.ascontiguousarray(image)).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(runs=str(tmp_path_factory.mktemp("runs"))) as server:
        yield server


def pixels(message):
    return np.asarray(Image.open(io.BytesIO(message["png"].tobytes())))


def test_a_run_on_a_folder_of_classes_and_a_walk_through_it(server, pictures, monkeypatch):
    monkeypatch.setitem(CGAN.defaults, "epochs", 10**6)  # it is there until it is told to end

    async def train(page):
        await page.send("images", "start", system="cgan", dataset=str(pictures))
        told = await page.next(
            "told", "images", lambda m: any("80 examples" in x for x in m["lines"])
        )
        assert told["lines"][0].startswith("the data are loaded")
        state = await page.next("state", "images", lambda m: m["active"])
        assert state["explorer"]["classes"] == ["lying", "standing"]
        assert len(state["explorer"]["sliders"]) == 100
        first = await page.next("training", "images")
        grid = pixels(first)
        assert first["folder"].endswith("live-cgan") and grid.ndim == 2 and np.ptp(grid) > 100
        await page.next("training", "images", lambda m: m["step"] > 0)
        await page.send("images", "pause")
        await page.next("state", "images", lambda m: not m["running"])
        held = await page.next("training", "images")
        await page.send("images", "rate", player="G", rate=1e-4)
        state = await page.next("state", "images", lambda m: m["rates"]["G"] == 1e-4)
        assert state["rates"]["D"] != 1e-4
        await page.send("images", "step")
        step = await page.next("training", "images", lambda m: m["step"] > held["step"])
        assert step["step"] == held["step"] + 1 and step["curves"][-1, 0] == step["step"]
        assert (pixels(step) != pixels(held)).any()
        await explore(page, "images")
        await page.send("images", "finish")
        state = await page.next("state", "images", lambda m: m["report"])
        assert not state["active"] and f"ended at step {step['step']}" in state["report"]
        return step["step"]

    async def explore(page, view):
        await page.send(view, "label", label=1)
        standing = pixels(await page.next("explored", view))
        await page.send(view, "label", label=0)
        assert (pixels(await page.next("explored", view)) != standing).any()
        await page.send(view, "set", i=3, value=2.5)
        moved = pixels(await page.next("explored", view))
        await page.send(view, "release")
        assert (pixels(await page.next("explored", view)) != moved).any()
        for wrong in ({"i": 100, "value": 0.0}, {"i": 0, "value": "x"}, {"i": 0, "value": 99}):
            await page.send(view, "set", **wrong)
            assert "latent number" in (await page.next("complaint"))["text"]
        await page.send(view, "label", label=2)
        assert "no label 2" in (await page.next("complaint"))["text"]

    async def walk(page, step):
        await page.send("walk", "runs")
        (folder,) = (await page.next("state", "walk", lambda m: m["folders"]))["folders"]
        await page.send("walk", "open", run=folder)
        state = await page.next("state", "walk", lambda m: m["folder"])
        assert state["about"] == f"cgan, {pictures.name}, step {step}" and state["walks"]
        start = pixels(await page.next("explored", "walk"))
        await explore(page, "walk")
        await page.send("walk", "label", label=None)
        np.testing.assert_array_equal(pixels(await page.next("explored", "walk")), start)
        await page.send("walk", "way", t=1.0)
        end = await page.next("explored", "walk")
        assert end["way"] == 1 and (pixels(end) != start).any()
        await page.send("walk", "start")
        between = await page.next("explored", "walk", lambda m: m["way"] < 0.95)
        assert (pixels(between) != pixels(end)).any()
        await page.send("walk", "pause")
        await page.send("walk", "open", run="/etc")
        assert "there is no saved run '/etc'" in (await page.next("complaint"))["text"]
        return folder

    async def scene():
        async with Page(server) as page:
            return await walk(page, await train(page))

    folder = asyncio.run(scene())
    _, game, c, step = load_game(folder)
    assert game.classes == 2 and c.class_names == ["lying", "standing"] and step > 0


def test_a_short_run_shows_its_end(pictures, tmp_path, monkeypatch):
    """It may take less time than there is between two pictures."""
    monkeypatch.setitem(CGAN.defaults, "epochs", 2)

    async def scene(server):
        async with Page(server) as page:
            await page.send("images", "start", system="cgan", dataset=str(pictures))
            first = await page.next("training", "images", lambda m: m["step"] == 0)
            last = await page.next("training", "images", lambda m: m["step"] == m["total"])
            assert last["step"] == 2 and (pixels(last) != pixels(first)).any()
            state = await page.next("state", "images", lambda m: m["report"])
            assert "ended at step 2" in state["report"] and not state["active"]

    with serving(runs=str(tmp_path)) as server:
        asyncio.run(scene(server))


def test_a_run_that_writes_texts_is_no_walk(tmp_path):
    words = ["--words", "9", "--longest", "4", "--sequences", "64", "--hidden", "4", "--quiet"]
    run = str(tmp_path / "said")
    assert 0 == main(
        ["train", "seqgan", *words, "--max-steps", "2", "--device", "cpu", "--out", run]
    )
    view = WalkView(lambda *args, **named: None, None, tmp_path, None)
    with pytest.raises(ValueError, match="seqgan makes texts: python -m minigan draw"):
        view.do_open(run)
    assert view.explorer is None


def test_what_cannot_be_trained_is_told(server):
    async def scene():
        async with Page(server) as page:
            await page.send("images", "start", system="gan", dataset="/nothing/here")
            state = await page.next("state", "images", lambda m: m["error"])
            assert "no data set '/nothing/here'" in state["error"]
            assert not state["running"] and not state["active"]
            # one is about another run's D, one writes texts
            for name in ("chess", "features", "seqgan"):
                await page.send("images", "start", system=name, dataset="strokes")
                said = (await page.next("complaint"))["text"]
                assert said == f"there is no system {name!r} to train here"

    asyncio.run(scene())


@pytest.mark.parametrize("do", ["step", "finish", "sort", "other"])
def test_nothing_to_do_it_with(tmp_path, do):
    from minigan.live.images import ImagesView
    from minigan.live.view import Turn

    told = []
    view = ImagesView(lambda *message: told.append(message), Turn(), tmp_path, None)
    view.obey({"do": do})
    assert [kind for _, kind, _ in told] == ["complaint"]


def test_a_run_that_diverges_says_which_step(server, pictures):
    async def scene():
        async with Page(server) as page:
            await page.send("images", "start", system="gan", dataset=str(pictures))
            await page.next("state", "images", lambda m: m["active"])
            for player in ("D", "G"):
                await page.send("images", "rate", player=player, rate=10.0)
            server.views["images"].current.trainer.game.players["G"][0].weight.array[:] = np.nan
            state = await page.next("state", "images", lambda m: m["error"])
            assert "step" in state["error"] and not state["active"] and not state["running"]

    asyncio.run(scene())


def test_starting_one_part_holds_the_others(server, pictures):
    async def scene():
        async with Page(server) as page:
            await page.send("images", "start", system="gan", dataset=str(pictures))
            await page.next("state", "images", lambda m: m["active"] and m["running"])
            await page.send("plane", "start")
            await page.next("state", "images", lambda m: not m["running"])
            await page.next("frame", "plane", lambda m: m["step"] > 3)
            await page.send("plane", "pause")
            await page.send("images", "finish")
            await page.next("state", "images", lambda m: m["report"])

    asyncio.run(scene())


def test_a_run_on_the_command_line_is_open_from_the_beginning(server, tmp_path):
    folder = server.views["walk"].folders()[0]
    with serving(run=folder, runs=str(tmp_path)) as other:

        async def scene():
            async with Page(other) as page:
                assert (await page.next("hello"))["run"] == folder
                state = await page.next("state", "walk", lambda m: m["folder"] == folder)
                assert state["folders"] == [folder]
                await page.next("explored", "walk")

        asyncio.run(scene())


def test_the_doctors_notes(tmp_path):
    from minigan.live.images import ImagesView
    from minigan.live.view import Turn

    view = ImagesView(lambda *message: None, Turn(), tmp_path, None)
    run = SimpleNamespace(warnings=["d_wins"])
    assert view.findings(run) == []
    view.doctor = Doctor()
    view.doctor.findings = {"d_wins": [100, 300], "oscillation": [200, 200]}
    one, other = view.findings(run)
    assert (one["first"], one["last"], one["now"]) == (100, 300, True) and not other["now"]
    assert one["what"].startswith("D tells every sample") and "lower D's" in one["advice"]


# --- sliders ---


def test_a_game_without_samples_of_its_own_has_no_sliders():
    from minigan.live.explore import explorer_of

    class Translator(GAN):
        def inputs(self, n, generator, device=None):
            raise ValueError("it makes pictures of pictures")

    G, D = mlp_generator(6, (1, 8, 8)), Sequential(Flatten(), Linear(64, 1))
    assert explorer_of(Translator(G, D, NonSaturating(), 6), None) is None
    points = GAN(Linear(6, 2), Linear(2, 1), NonSaturating(), 6)
    assert explorer_of(points, None).picture() is None


def test_the_strongest_sliders_come_first():
    G = mlp_generator(6, (1, 8, 8))
    strength = np.array([0, 5, 0, 0, 1, 0.1], np.float32)
    G[0].weight.array[:] = np.abs(G[0].weight.array) * strength
    game = GAN(G, Sequential(Flatten(), Linear(64, 1)), NonSaturating(), 6)
    explorer = Explorer(game)
    explorer.sort()
    assert explorer.order[:3] == [1, 4, 5]
    assert [s["name"] for s in explorer.sliders()[:2]] == ["z 2", "z 5"]
    before = explorer.images()
    assert before.shape == (25, 1, 8, 8)
    explorer.set(0, 3.0)  # which G does not see
    np.testing.assert_allclose(explorer.images(), before, atol=1e-6)
    explorer.set(1, 3.0)
    assert np.abs(explorer.images() - before).max() > 0.1
    explorer.set(1, None)
    np.testing.assert_allclose(explorer.images(), before, atol=1e-6)


def test_codes_have_the_first_sliders():
    from minigan.gan import InfoGAN, Joined

    G = Joined(mlp_generator(4 + 2 + 3, (1, 8, 8)), 3)
    D = Sequential(Flatten(), Linear(64, 1 + 3 + 2))
    game = InfoGAN(G, D, NonSaturating(), 4, classes=3, codes=2)
    explorer = Explorer(game)
    explorer.sort()
    assert [s["name"] for s in explorer.sliders()[:2]] in (
        ["code 1", "code 2"], ["code 2", "code 1"],
    )  # fmt: skip
    assert explorer.class_names == ["0", "1", "2"] and len(explorer.order) == 6
    explorer.way = 1.0
    z, _ = game.inputs(25, Generator(1))
    np.testing.assert_allclose(explorer.images(), game.sample(z, explorer.inputs[1]).numpy(),
                               atol=1e-5)  # fmt: skip
