"""G in a page: what its JavaScript draws is what minigan draws, in a real browser (headless
Chromium, by Selenium)."""

import shutil

import numpy as np
import pytest
from report_folder import run_folder

import minigan
from minigan import nn
from minigan.arrays import Generator
from minigan.autograd import tensor_of
from minigan.gan import GAN, NonSaturating
from minigan.systems.export import ExportError, packed
from minigan.systems.export.explore import known_ops
from minigan.systems.system import facts_of
from minigan.training.report import write_report


def game_of(G, latent_dim):
    G.eval()
    return GAN(G, nn.Linear(1, 1), NonSaturating(), latent_dim)


def convolutions():
    """Each kind of layer that a G of pictures usually has, with statistics that are not 0 and 1."""
    minigan.manual_seed(1)
    G = nn.Sequential(
        nn.Linear(6, 64, bias=False), nn.Unflatten(1, (4, 4, 4)), nn.BatchNorm2d(4), nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 4, 2, 1, bias=False), nn.BatchNorm2d(6), nn.LeakyReLU(0.2),
        nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.GroupNorm(3, 6), nn.SiLU(),
        nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(6, 4, (3, 3)), nn.ELU(),
        nn.PixelShuffle(2), nn.Upsample(scale_factor=0.5, mode="bilinear"), nn.Softplus(),
        nn.ConvTranspose2d(1, 8, 3, 1, 1), nn.GLU(1), nn.Conv2d(4, 3, 3, 2, 1), nn.Sigmoid(),
    )  # fmt: skip
    random = np.random.default_rng(0)
    for m in G:
        if isinstance(m, nn.BatchNorm2d):
            for x in (m.running_mean, m.running_var, m.weight, m.bias):
                x.data[...] = tensor_of(random.uniform(0.5, 2, x.shape).astype(np.float32))
    return game_of(G, 6), facts_of({"image_shape": [3, 8, 8]})


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium that reaches no other host."""
    webdriver = pytest.importorskip("selenium.webdriver")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("there is no Chromium with its driver")
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--proxy-server=127.0.0.1:9"):
        options.add_argument(word)
    options.binary_location = shutil.which("chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    found = webdriver.Chrome(options=options, service=service)
    yield found
    found.quit()


def page(tmp_path, model):
    pytest.importorskip("jinja2")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    return write_report(tmp_path / "run", explore=model)


def made(browser, latents, label=None):
    """What the page's G makes of one example."""
    script = """
        const given = {...window.minigan.inputs(), latents: arguments[0]};
        if (arguments[1] !== null) given.labels = [arguments[1]];
        return Array.from(window.minigan.G(given).data)"""
    return np.array(browser.execute_script(script, [float(x) for x in latents], label))


def test_every_layer_in_the_browser(browser, tmp_path):
    game, c = convolutions()
    model = packed(game, c)
    assert model["kind"] == "float32" and {"taps", "group_norm", "conv_transpose"} <= {
        s["op"] for s in model["steps"]}  # fmt: skip
    browser.get(page(tmp_path, model).as_uri())
    z = Generator(5).normal((3, 6))
    expected = game.sample(tensor_of(z)).numpy()
    for latents, image in zip(z, expected):
        np.testing.assert_allclose(made(browser, latents), image.ravel(), atol=2e-5)
    assert expected.std() > 0.01
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []


class Arithmetic(nn.Module):
    """What G's of texts, of grown pictures, of hidden messages and of two domains compute."""

    def forward(self, z):
        x = z.reshape(-1, 2, 3, 1) * 3
        whole = minigan.round(x) + minigan.round(x, decimals=1)
        unit = x / (x * x).mean(1, keepdim=True).sqrt()
        counted = (whole != 0).to(x.dtype).sum((2, 3))[:, :, None, None]
        far = minigan.where(minigan.round(x).eq(0), counted - x, unit)
        return (far + x.sum(2, keepdim=True))[:, :1]


def test_roundings_choices_and_sums_in_the_browser(browser, tmp_path):
    game, c = game_of(Arithmetic(), 6), facts_of({"image_shape": [1, 3, 1]})
    model = packed(game, c)
    assert {"round", "where", "ne", "eq", "sum", "mean"} <= {s["op"] for s in model["steps"]}
    browser.get(page(tmp_path, model).as_uri())
    z = np.array([[0.5, -0.5, 1.5, 0.05, -1, 2], [1 / 6, -1 / 6, 2.5, 0, 0.01, 1]])
    for latents, image in zip(z, game.sample(tensor_of(z.astype(np.float32))).numpy()):
        np.testing.assert_allclose(made(browser, latents), image.ravel(), atol=2e-5)


def test_sliders_and_classes_draw(browser, tmp_path):
    """A conditional G of large linear layers, in float16: pixels change with each slider, and are
    those that minigan draws of these numbers."""
    from minigan.gan import CGAN, Joined, mlp_generator

    minigan.manual_seed(2)
    game = CGAN(Joined(mlp_generator(12), 2), nn.Linear(1, 1), NonSaturating(), 10, classes=2)
    game.G.eval()
    game.G.network[-3].weight.data.mul_(20)  # new weights alone draw grey in grey
    c = facts_of({"image_shape": [1, 28, 28], "class_names": ["cat", "<dog>"]})
    browser.get(page(tmp_path, packed(game, c)).as_uri())
    pixels = lambda: np.array(browser.execute_script(
        "const c = document.getElementById('canvas'); return Array.from(c.getContext('2d')"
        ".getImageData(0, 0, 28, 28).data)")).reshape(28, 28, 4)  # fmt: skip
    state = lambda: browser.execute_script(
        "const x = window.minigan.inputs(); return [Array.from(x.latents), x.labels[0]]"
    )

    def agrees():
        latents, label = state()
        z = tensor_of(np.array([latents], np.float32))
        image = game.sample(z, tensor_of(np.array([label])))
        drawn = (image.numpy()[0, 0] + 1) * 127.5
        assert np.abs(pixels()[..., 0] - drawn).max() < 3 and drawn.std() > 5
        return pixels()

    seen = [agrees()]
    assert (seen[0][..., 3] == 255).all()
    by = "document.getElementById(arguments[0])"
    browser.find_element("id", "new").click()
    seen.append(agrees())
    slider = browser.find_elements("css selector", "#sliders input")[3]
    slider.send_keys("\ue00f")  # page down
    seen.append(agrees())
    browser.execute_script(f"{by}.value = 1; {by}.dispatchEvent(new Event('change'))", "class")
    seen.append(agrees())
    assert state()[1] == 1
    for before, after in zip(seen, seen[1:]):
        assert np.abs(before - after).max() > 0
    names = [o.text for o in browser.find_elements("css selector", "#class option")]
    assert names == ["cat", "<dog>"]


def test_the_slider_over_time(browser, tmp_path):
    """Moves by the keyboard, and plays."""
    pytest.importorskip("jinja2")
    browser.get(write_report(run_folder(tmp_path / "run")).as_uri())
    when, frame = (browser.find_element("id", name) for name in ("when", "frame"))
    last = frame.get_attribute("src")
    when.send_keys("\ue012")  # left
    assert frame.get_attribute("alt") == "Samples after step 15"
    assert when.get_attribute("aria-valuetext") == "step 15" and frame.get_attribute("src") != last
    when.send_keys("\ue011")  # home
    assert browser.find_element("id", "now").text == "5"


def test_what_the_page_cannot_draw():
    minigan.manual_seed(0)
    with pytest.raises(ExportError, match="pictures"):
        packed(game_of(nn.Linear(3, 4), 3), facts_of({}))

    class Odd(nn.Module):
        def forward(self, z):
            return minigan.cumsum(z, 1).reshape(-1, 1, 2, 2)

    with pytest.raises(ExportError, match="cumsum: the page has no such op"):
        packed(game_of(Odd(), 4), facts_of({"image_shape": [1, 2, 2]}))
    assert {"linear", "conv_transpose", "taps", "cat"} <= known_ops()


def test_codes_come_first_and_are_named():
    from minigan.systems import system

    kind = system("infogan")
    import argparse

    p = argparse.ArgumentParser()
    kind.options(p)
    p.set_defaults(**kind.defaults)
    c = facts_of(vars(p.parse_args(["--features", "4"])) | {
        "image_shape": [1, 28, 28], "control": False})  # fmt: skip
    latents = packed(kind.game(c), c)["latents"]
    assert [x["name"] for x in latents[:3]] == ["c2", "c3", "z1"]
    n = c.latent_dim  # the codes stand behind z
    assert [x["index"] for x in latents[:3]] == [n, n + 1, 0] and len(latents) == n + 2
