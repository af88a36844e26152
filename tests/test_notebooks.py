"""The notebooks of examples/notebooks: as programs, and as notebooks in a kernel, for a few
steps."""

import os
import pathlib
import runpy

import pytest

FOLDER = pathlib.Path(__file__).parents[1] / "examples" / "notebooks"
NAMES = sorted(p.stem for p in FOLDER.glob("*.py"))


@pytest.fixture
def short(tmp_path, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_STEPS", "12")
    monkeypatch.setenv("NOTEBOOK_FOLDER", str(tmp_path / "run"))
    return tmp_path / "run"


def test_there_are_three():
    assert NAMES == ["conditions", "engine", "first_gan"]


@pytest.mark.parametrize("name", NAMES)
def test_as_a_program(name, short, capsys):
    runpy.run_path(str(FOLDER / f"{name}.py"))
    left = {path.name for path in short.glob("**/*.png")}
    assert ("0000012.png" in left) == (name != "engine")


@pytest.mark.parametrize("name", NAMES)
def test_as_a_notebook(name, short):
    """Cells show what they should: pictures, tables, the run."""
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = jupytext.read(FOLDER / f"{name}.py")
    os.environ.setdefault("PYTHONPATH", str(FOLDER.parents[1]))
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    shown = "".join(
        output.data.get("text/html", "")
        for cell in notebook.cells if cell.cell_type == "code"
        for output in cell.outputs if output.output_type in ("execute_result", "display_data")
    )  # fmt: skip
    assert ("<table>" if name == "engine" else "data:image/png;base64,") in shown
    assert ("minigan-run" in shown) == (name != "engine")
    assert {cell.cell_type for cell in notebook.cells} == {"code", "markdown"}
    assert not any("%%" in cell.source for cell in notebook.cells)
