"""The live page in Chromium: draw, train, pause, step; pixels say what there is to see."""

import shutil
import time

import pytest
from live.serving import serving

from minigan.systems.cgan import CGAN

pytest.importorskip("aiohttp", reason="the live page needs aiohttp")
webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is steered by selenium")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="there is no chromium with its driver (apt-get install chromium chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(runs=str(tmp_path_factory.mktemp("runs"))) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_window_size(1300, 1000)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, server):
    browser.get(server.address)
    found = Browsed(browser)
    found.until(lambda: found.text("caption"), "a first picture")
    yield found
    faults = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not faults


class Browsed:
    """The open page."""

    def __init__(self, browser):
        self.browser = browser
        self.run = browser.execute_script

    def __getitem__(self, name):
        return self.browser.find_element(By.ID, name)

    def text(self, name):
        return self[name].text

    def click(self, name):
        self[name].click()

    @property
    def round(self):
        return int(self.text("n-step").replace(",", ""))

    def until(self, true, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := true():
                return found
            time.sleep(0.05)
        raise AssertionError(f"{what}: waited {seconds} s for it")

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def pixel(self, x, y):
        """RGB of the plane at a point of its picture, both from 0 to 1, from the top left."""
        return self.run(
            "const c = document.getElementById('scene');"
            "const p = c.getContext('2d').getImageData(arguments[0] * (c.width - 1),"
            " arguments[1] * (c.height - 1), 1, 1).data; return [p[0], p[1], p[2]]", x, y,
        )  # fmt: skip

    def count(self, test):
        """How many pixels of the plane are such: a JavaScript expression of r, g, b."""
        return self.run(
            "const c = document.getElementById('scene'); let n = 0;"
            "const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            f"for (let i = 0; i < p.length; i += 4) {{ const [r, g, b] = p.slice(i, i + 3);"
            f" if ({test}) n++; }} return n"
        )

    def picture(self):
        return self.run("return document.getElementById('scene').toDataURL()")

    def choose(self, name, value):
        self.run(
            "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
            "s.dispatchEvent(new Event('change'))", name, value,
        )  # fmt: skip

    def pause(self):
        if "Pause" in self.text("play"):
            self.click("play")
        self.until(lambda: "Start" in self.text("play"), "a pause")


BLUE = "b > r + 60 && b > 120"  # data, in the light
ORANGE = "r > 150 && r > b + 90 && g < 130"  # samples


def test_train_pause_and_step(page):
    page.click("restart")
    page.until(lambda: page.round == 0, "a new game")
    before = page.picture()
    page.click("play")
    page.until(lambda: page.round > 20, "twenty rounds")
    page.until(lambda: page.text("n-fps") not in ("–", ""), "how many pictures a second")
    page.pause()
    time.sleep(0.5)
    held, picture = page.round, page.picture()
    assert picture != before
    time.sleep(0.7)
    assert page.round == held and page.picture() == picture
    page.click("step")
    page.until(lambda: page.round == held + 1, "one more round")
    assert page.picture() != picture
    page.click("half")
    page.until(lambda: page.text("turn").startswith("D moved"), "D's move")
    assert page.round == held + 1
    on = "return [...document.querySelectorAll('#diagram .node.on')].map(n => n.dataset.player)"
    assert page.run(on) == ["D"]
    page.click("half")
    page.until(lambda: page.text("turn").startswith("G moved"), "G's move")
    page.until(lambda: page.round == held + 2, "the end of the round")
    assert page.run(on) == ["G"]


def test_draw_and_train(page):
    """A stroke in the lower half: the data are there, and the samples come there."""
    page.browser.find_element(By.CSS_SELECTOR, "#datasets [value=drawn]").click()
    page.until(lambda: page["drawing"].is_displayed(), "to draw")
    page.click("clear")
    scene = page["scene"]
    width = scene.size["width"]
    stroke = ActionChains(page.browser, duration=20)
    stroke.move_to_element_with_offset(scene, int(-0.3 * width), int(0.3 * width)).click_and_hold()
    for i in range(1, 9):
        stroke.move_to_element_with_offset(
            scene, int((-0.3 + 0.075 * i) * width), int(0.3 * width)
        )  # fmt: skip
    stroke.release().perform()
    page.until(lambda: int(page.text("dots").split()[0]) > 20, "drawn points")
    r, g, b = page.pixel(0.35, 0.8)
    assert b > r + 60, "the stroke is blue"
    page.click("use")
    page.until(lambda: "drawn" in page.text("caption"), "the drawing's game")
    page.until(lambda: page.count(BLUE) > 100, "the data in blue")
    rows = "(i >> 2) / c.width / c.height"
    assert page.count(f"{BLUE} && {rows} > 0.65") > 0.9 * page.count(BLUE)
    # what is made begins in the middle, and goes down to the data
    low = lambda: page.count(f"{ORANGE} && {rows} > 0.62") / max(page.count(ORANGE), 1)
    assert page.count(ORANGE) > 30 and low() < 0.2
    page.click("play")
    page.until(lambda: low() > 0.7, "samples where the data are", 120)
    page.pause()


def test_layers_can_be_left_out(page):
    page.browser.find_element(By.CSS_SELECTOR, "#datasets [value=ring]").click()
    page.until(lambda: "ring" in page.text("caption"), "the ring")
    page.until(lambda: page.count(BLUE) > 50, "the data")
    for box in page.browser.find_elements(By.CSS_SELECTOR, "#layers input"):
        box.click()
    page.until(lambda: page.count(BLUE) == 0 == page.count(ORANGE), "an empty plane")


def test_rules_and_rates_change_while_it_runs(page):
    page.click("restart")
    page.click("play")
    page.until(lambda: page.round > 5, "some rounds")
    page.choose("objective", "lsgan")
    page.until(lambda: "least squares" in page.text("about").lower() or "1" in page.text("about"),
               "another objective")  # fmt: skip
    later = page.round
    page["rate-D"].send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.until(lambda: page.text("rate-D-is") == "7.9e-4", "D's rate")
    page.until(lambda: page.round > later, "more rounds")
    page.choose("game", "unrolled")
    page.until(lambda: page["own"].is_displayed() and not page["switches"].is_displayed(), "it")
    page.choose("game", "gan")
    page.until(lambda: page["switches"].is_displayed(), "the switches")
    page.pause()


def test_all_by_keys(page):
    page.browser.find_element(By.TAG_NAME, "body").click()
    page.run("document.activeElement.blur()")
    page.press("r")
    page.until(lambda: page.round == 0, "a new game")
    page.press(" ")
    page.until(lambda: page.round > 3, "rounds")
    page.press(" ")
    page.until(lambda: "Start" in page.text("play"), "a pause")
    time.sleep(0.3)
    held = page.round
    page.press("s")
    page.until(lambda: page.round == held + 1, "a step")
    page.press("h")
    page.until(lambda: page.text("turn").startswith("D moved"), "D's move")
    button = page.browser.find_element(By.CSS_SELECTOR, "#datasets [value=drawn]")
    button.send_keys(Keys.ENTER)
    page.until(lambda: page["drawing"].is_displayed(), "to draw")
    assert page.run("return document.activeElement.id") == "scene"
    before = int(page.text("dots").split()[0])
    for _ in range(4):
        page.press(Keys.ARROW_RIGHT, Keys.ARROW_UP, " ")
    page.until(lambda: page.text("dots") == f"{before + 4} points", "dots")
    page.press(Keys.BACKSPACE)
    page.until(lambda: page.text("dots") == f"{before + 3} points", "one less")
    page.press(Keys.ENTER)
    page.until(lambda: "drawn" in page.text("caption"), "the drawing's game")
    page["tab-plane"].send_keys(Keys.ARROW_RIGHT)
    assert page["images"].is_displayed() and not page["plane"].is_displayed()
    assert page.run("return document.activeElement.id") == "tab-images"
    page["tab-images"].send_keys(Keys.ARROW_LEFT)
    assert page["plane"].is_displayed()


def test_for_those_who_do_not_see_it(page):
    """Every control has a name, the picture says what it shows, and what happens is told."""
    for view in ("plane", "images", "walk"):
        page.click(f"tab-{view}")
        controls = "button, input, select, canvas:not([aria-hidden=true])"
        for element in page.browser.find_elements(By.CSS_SELECTOR, controls):
            if element.is_displayed():
                assert element.accessible_name, element.get_attribute("outerHTML")
    page.click("tab-plane")
    page.click("step")
    page.until(lambda: "D's value" in page["scene"].get_attribute("aria-label"), "a summary")
    page.until(lambda: "Round" in page.run("return document.getElementById('says').textContent"),
               "what is told")  # fmt: skip
    assert page.run("return document.getElementById('says').getAttribute('aria-live')") == "polite"


def test_light_dark_and_narrow(page):
    background = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(background)
    corner = page.pixel(0.5, 0.5)
    page.click("theme")
    dark = page.run(background)
    assert sum(map(int, light[4:-1].split(","))) > 600 > 150 > sum(map(int, dark[4:-1].split(",")))
    page.until(lambda: page.pixel(0.5, 0.5) != corner, "a dark plane")
    size = page.browser.get_window_size()
    try:
        page.browser.set_window_size(400, 900)
        for view in ("plane", "images", "walk"):
            page.click(f"tab-{view}")
            wide = page.run("return document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, view
    finally:
        page.browser.set_window_size(size["width"], size["height"])


def test_nothing_comes_from_elsewhere(page, server):
    names = page.run("return performance.getEntriesByType('resource').map(r => r.name)")
    assert names and all(name.startswith(server.address) for name in names)


def test_divergence_is_told_and_start_begins_anew(page):
    page.choose("objective", "kl")
    page.until(lambda: page.text("about"), "it")
    for player in "DG":
        page.run(
            "const r = document.getElementById(arguments[0]); r.max = 1; r.value = 1;"
            "r.dispatchEvent(new Event('input'))", f"rate-{player}",
        )  # fmt: skip
    page.click("play")
    page.until(lambda: page["fault"].is_displayed(), "the fault")
    assert "diverged" in page.text("fault") and "lower the learning rate" in page.text("fault")
    assert "Start" in page.text("play") and not page["step"].is_enabled()
    page.click("play")
    page.until(lambda: not page["fault"].is_displayed() and page.round > 2, "a new game")
    page.pause()


def test_pictures_are_learned(page, tmp_path, monkeypatch):
    monkeypatch.setitem(CGAN.defaults, "epochs", 10**6)  # it is there until it is told to end
    np = pytest.importorskip("numpy")
    from PIL import Image

    random = np.random.default_rng(0)
    for name in ("even", "odd"):
        (tmp_path / name).mkdir()
        for i in range(40):
            image = random.integers(0, 255, (28, 28)).astype(np.uint8)
            image[:, name == "odd" :: 2] = 0
            Image.fromarray(image).save(tmp_path / name / f"{i}.png")
    page.click("tab-images")
    page.choose("system", "cgan")
    page.choose("dataset", "a folder")
    page["folder"].send_keys(str(tmp_path))
    page.click("train")
    page.until(lambda: page["exhibit"].is_displayed(), "a grid")
    shown = page["exhibit"].get_attribute("src")
    page.until(lambda: page["exhibit"].get_attribute("src") != shown, "another one")
    classes = "#images-explorer .classes button"
    names = lambda: [b.text for b in page.browser.find_elements(By.CSS_SELECTOR, classes)]
    page.until(lambda: names() == ["all", "even", "odd"], "buttons of the classes")
    page.browser.find_elements(By.CSS_SELECTOR, classes)[2].click()
    pressed = f"return document.querySelector('{classes}[aria-pressed=true]').textContent"
    page.until(lambda: page.run(pressed) == "odd", "the class")
    slider = page.browser.find_element(By.CSS_SELECTOR, "#images-explorer .sliders input")
    slider.send_keys(Keys.ARROW_RIGHT)
    held = "return document.querySelector('.sliders .set .is').textContent"
    page.until(lambda: page.run(held) not in ("", "free"), "a slider that is set")
    page.click("finish")
    page.until(lambda: "ended at step" in page.text("images-report"), "the end of the run", 120)
    page.click("tab-walk")
    page.click("again")
    page.until(lambda: page["open"].is_enabled(), "a run to open")
    page.click("open")
    page.until(lambda: "cgan" in page.text("walk-about"), "the run")
    page.click("go")
    page.until(lambda: float(page["way"].get_attribute("value")) > 0.03, "a walk")
    page.click("go")


def test_the_program_ends_before_the_page(browser, tmp_path):
    with serving(runs=str(tmp_path)) as server:
        browser.get(server.address)
        page = Browsed(browser)
        page.until(lambda: page.text("caption"), "a first picture")
        assert not page["link"].is_displayed()
    page.until(lambda: page["link"].is_displayed(), "that it has ended")
    assert "does not answer" in page.text("link")
    assert page.run("return document.getElementById('main').inert")
