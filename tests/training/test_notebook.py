"""What notebooks show: of Tensors, of runs, of progress."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

import minigan
from minigan import nn
from minigan.training import usual

from .test_callbacks import make
from .test_report import Page


def picture(text):
    content = re.search(r'src="data:image/png;base64,([^"]*)"', text)[1]
    return np.array(Image.open(io.BytesIO(base64.b64decode(content))))


def test_small_tensors_are_tables():
    x = minigan.tensor([[1.0, -2.5], [3.25, 1e-7]], requires_grad=True)
    text = x._repr_html_()
    assert "tensor float32 (2, 2), on cpu, requires grad" in text
    cells = re.findall(r"<td>([^<]*)</td>", text)
    assert cells == ["1", "-2.5", "3.25", "1e-07"] and text.count("<tr>") == 2
    assert "by mul" in (x * 2)._repr_html_()
    assert minigan.tensor([True, False])._repr_html_().count("<td>") == 2
    assert minigan.arange(30)._repr_html_().count("<tr>") == 30
    assert nn.Linear(2, 1).weight._repr_html_().count("<td>") == 2
    for shown in (x, minigan.arange(30)):
        Page(shown._repr_html_())


@pytest.mark.parametrize("shape", [(), (0,), (3, 4, 5), (1000, 2), (2, 2, 9, 9), (2, 1, 4, 4)])
def test_others_are_text(shape):
    text = minigan.ones(*shape)._repr_html_()
    assert "<pre>tensor(" in text and "<img" not in text and len(text) < 5000
    Page(text)


def test_pictures():
    """Two of three columns; from -1 to 1, or from 0 to 1 where nothing is below."""
    x = np.full((10, 1, 8, 9), -1, np.float32)
    x[1], x[9, :, 0, 0] = 1, 0
    found = picture(minigan.tensor(x)._repr_html_())
    assert found.shape == (16, 72)
    assert (found[:8, 9:18] == 255).all() and (found[:8, :9] == 0).all() and found[8, 9] == 128
    one = picture(minigan.tensor(x[1] / 2)._repr_html_())
    assert one.shape == (8, 9) and (one == 128).all()
    colour = picture(minigan.rand(2, 3, 8, 8)._repr_html_())
    assert colour.shape == (8, 16, 3)
    assert "<img" not in minigan.tensor(2 * x)._repr_html_()
    assert "<img" not in minigan.tensor(x * np.nan)._repr_html_()


def test_a_run(tmp_path):
    run = make(tmp_path / "<r>", lambda t: usual(t.game.G, quiet=True, sample_interval=10))
    page = Page(run._repr_html_())
    assert "0 of 20" in page.said() and not page.of("img")
    run.train()
    page = Page(run._repr_html_())
    assert "20 of 20 (epoch 4)" in page.said() and "D 533,505, G 1,498,256" in page.said()
    assert page.of("img")[0]["alt"] == "Samples after step 20" and len(page.of("svg")) == 2
    assert "<r>" in page.said()


def test_progress_in_a_notebook(tmp_path, monkeypatch):
    """Its bar is that of tqdm.auto, also where stderr is no terminal."""
    from tqdm import auto, std

    made = []

    class Notebook(std.tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs | {"file": io.StringIO()})
            made.append((self, self.disable))

    monkeypatch.setattr(auto, "notebook_tqdm", Notebook)
    make(tmp_path / "r", usual(nn.Linear(3, 4))).train()
    assert [(bar.n, disabled) for bar, disabled in made] == [(20, False)]
