"""metrics.jsonl is read with the tolerance a killed run needs and no more, and drawn."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from minigan.viz import curves, read_metrics, save_curves


def rows(n, **more):
    return [
        {
            "step": 10 * i,
            "epoch": i / 4,
            "d_value": -1.3 - 1 / (i + 1),
            "g_loss": 0.7,
            "d_real": 0.6,
            "d_fake": 0.4,
            **more,
        }
        for i in range(n)
    ]


def write(path, rows, end=b""):
    path.write_bytes("".join(json.dumps(r) + "\n" for r in rows).encode() + end)
    return path


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_read(tmp_path):
    assert read_metrics(write(tmp_path / "m.jsonl", rows(5))) == rows(5)
    assert read_metrics(write(tmp_path / "m.jsonl", [])) == []


@pytest.mark.parametrize("end", [b'{"step": 5', '{"note": "\u00e4'.encode()[:-1], b"{", b"\0\0\0"])
def test_a_killed_run(tmp_path, end):
    assert read_metrics(write(tmp_path / "m.jsonl", rows(5), end)) == rows(5)


@pytest.mark.parametrize("bad", ["{broken", "[1, 2]", "3", "{}\r{}", "[" * 100_000])
def test_other_damage_is_named(tmp_path, bad):
    path = tmp_path / "m.jsonl"
    for text, line in (
        (f'{{"step": 1}}\n{bad}\n{{"step": 2}}\n', 2),
        (f'{{"step": 1}}\n\n{bad}\n', 3),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=rf"m\.jsonl, line {line}\b"):
            read_metrics(path)
        with pytest.raises(ValueError, match=rf"m\.jsonl, line {line}\b"):
            save_curves(tmp_path / "c.png", path)
    assert os.listdir(tmp_path) == ["m.jsonl"]


def test_a_file_and_its_rows_give_the_same_picture(tmp_path):
    save_curves(
        tmp_path / "new" / "a.png", write(tmp_path / "m.jsonl", rows(50), b'{"st'), title="a run"
    )
    save_curves(tmp_path / "new" / "b.png", rows(50), title="a run")
    a, b = pixels(tmp_path / "new" / "a.png"), pixels(tmp_path / "new" / "b.png")
    assert a.shape[0] > 400 and a.shape[1] > 600
    np.testing.assert_array_equal(a, b)
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):  # both curves are there, in both panels
        there = (a == colour).all(2).any(1)
        assert there[: len(a) // 2].any() and there[len(a) // 2 :].any()


@pytest.mark.parametrize(
    "some",
    [
        rows(1),
        rows(2),
        rows(20, g_loss=None),
        rows(20, d_value=float("nan"), g_loss=float("inf")),
        rows(20, d_real=-30.0, d_fake=40.0),
        rows(20, d_real="a word", epoch=None, d_value=10**400),
        [{"step": i} for i in range(9)],
    ],
)
def test_odd_rows_are_drawn(tmp_path, some):
    save_curves(tmp_path / "a.png", some)
    assert pixels(tmp_path / "a.png").std() > 0


def test_nothing_to_draw(tmp_path):
    for none in ([], [{"d_value": 1.0}], write(tmp_path / "m.jsonl", [])):
        with pytest.raises(ValueError, match="nothing to draw"):
            save_curves(tmp_path / "a.png", none)


def test_resumed_runs_take_the_later_rows():
    first, second = rows(6, d_value=1.0), rows(8, d_value=2.0)[4:]
    columns = curves._columns(first + second)
    assert columns["step"].tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
    assert columns["d_value"].tolist() == [1] * 4 + [2] * 4


def test_smoothing():
    values = np.array([1.0, 2, np.nan, 4, 9])
    np.testing.assert_allclose(curves._smooth(values, 1), values)
    np.testing.assert_allclose(curves._smooth(values, 3), [1.5, 1.5, np.nan, 6.5, 6.5])
    np.testing.assert_allclose(curves._smooth(np.ones(4), 9), np.ones(4))


def test_imports_are_lazy_and_the_backend_is_left_alone(tmp_path):
    code = (
        "import sys, minigan.data, minigan.viz\n"
        "heavy = {'matplotlib', 'PIL', 'tqdm', 'platformdirs', 'numba', 'cupy'} & "
        "set(sys.modules)\n"
        "assert not heavy, heavy\n"
        f"minigan.viz.save_curves({str(tmp_path / 'c.png')!r}, [dict(step=1, d_value=1.0), "
        "dict(step=2, d_value=2.0)])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
