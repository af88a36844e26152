"""`mnist_gan.py --device cuda`, on a device that is not there: by graphs, and without them, the
same weights."""

import pathlib

import fakecuda
import numpy as np
import pytest
from load_script import load_script

from minigan.training.checkpoint import newest

pytestmark = pytest.mark.skipif(fakecuda.NO_COMPILER is not None, reason=str(fakecuda.NO_COMPILER))
ROOT = pathlib.Path(__file__).parents[2]


def example(name):
    return load_script(ROOT / "examples" / f"{name}.py")


def leaves(tree, path=""):
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if hasattr(value, "shape"):
            yield f"{path}.{key}", np.asarray(getattr(value, "array", value))
        else:
            yield from leaves(value, f"{path}.{key}")


@pytest.mark.parametrize("model", ["mlp", "dcgan", "conv"])
def test_graphs_or_not(tmp_path, capsys, model):
    main = example("mnist_gan").main
    arguments = (
        f"--dataset strokes --device cuda --model {model} --max-steps 3 --batch-size 4 "
        "--sample-interval 2 --quiet --no-doctor"
    ).split()
    weights = []
    for more in ([], ["--no-graph"]):
        with fakecuda.with_kernels():
            assert (
                main([*arguments, "--out", str(tmp_path / "-".join(["run", *more])), *more]) == 0
            ), capsys.readouterr().err
        said = capsys.readouterr().out
        assert "device: cuda:0" in said and "without a CUDA graph" not in said
        path, state = newest(tmp_path / "-".join(["run", *more]), print)
        assert state["step"] == 3
        weights.append(dict(leaves(state)))
    assert len(weights[0]) > 20 and weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name], err_msg=name)


def test_a_run_resumes_on_cuda(tmp_path, capsys):
    """A run that goes on by a graph of its own ends in the weights of the run in one piece."""
    main = example("mnist_gan").main
    common = (
        "--dataset strokes --device cuda --batch-size 4 --sample-interval 9 --quiet --no-doctor"
    ).split()
    with fakecuda.with_kernels():
        assert main([*common, "--max-steps", "4", "--out", str(tmp_path / "whole")]) == 0
        assert main([*common, "--max-steps", "2", "--out", str(tmp_path / "parts")]) == 0
        assert (
            main([*common, "--max-steps", "4", "--out", str(tmp_path / "parts"), "--resume"]) == 0
        ), capsys.readouterr().err
    found, expected = (
        dict(leaves(newest(tmp_path / name, print)[1])) for name in ("parts", "whole")
    )
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_a_gpu_that_is_not_there(capsys):
    with fakecuda.installed():
        assert example("mnist_gan").main(["--device", "cuda:7", "--dataset", "strokes"]) == 2
    assert (
        "--device cuda:7: this machine has 1 CUDA device(s), numbered from 0"
        in capsys.readouterr().err
    )
