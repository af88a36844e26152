"""Networks that do not fit are refused before they are made; those that do are not."""

import subprocess
import sys
from pathlib import Path

import pytest

from minigan import nn
from minigan.machine import memory as machine_memory
from minigan.training import memory
from minigan.training.memory import NoRoom, outputs, require_room, room_for_networks

from .inside import inside

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def free(monkeypatch):
    """Sets how many bytes are free."""
    return lambda size: monkeypatch.setattr(memory, "available_memory", lambda: size)


def test_layers_are_counted_as_they_are_made(free):
    """1,000 parameters; Adam's two averages, and two more copies of all while a checkpoint is
    written: 36 bytes each."""
    for optimizer, need in (("adam", 36_000), ("rmsprop", 24_000), ("sgd", 12_000)):
        free(need)
        with room_for_networks("--features", optimizer):
            nn.Linear(100, 10, bias=False)
        free(need - 1)
        said = rf"1,000 parameters.*{optimizer}'s arrays.*lower --features"
        with pytest.raises(NoRoom, match=said), room_for_networks("--features", optimizer):
            nn.Linear(100, 10, bias=False)
    nn.Linear(100, 10)  # outside nobody counts


def test_nothing_is_asked_of_the_system_for_a_layer_that_is_refused(free):
    free(1 << 40)
    with (
        pytest.raises(NoRoom, match="1,000,000,000,000,000 parameters"),
        room_for_networks("--width"),
    ):
        nn.Linear(10**8, 10**7)


def test_a_step_is_counted_too(free, monkeypatch):
    """G gives 6 numbers, D 4 and 1: a batch of 1,000 through G, and two through D, are 4 * 1,000 *
    (6 + 2 * 5) bytes."""
    G, D = nn.Linear(3, 6), nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 1))
    assert outputs(G, (3,)) == 6 and outputs(D, (6,)) == 5
    config = {"latent_dim": 3, "batch_size": 1000, "optimizer": "adam", "ema": 0.0}
    parameters = 4 * (24 + 33)
    need = 2 * parameters + 64_000
    free(need)
    require_room(G, D, config, (6,), "--features")
    free(need - 1)
    with pytest.raises(NoRoom, match="a step of 1000 examples.*lower --batch-size, --features"):
        require_room(G, D, config, (6,), "--features")
    monkeypatch.setattr(memory.group, "size", lambda: 4)  # each process with its part
    free(need - 48_000)
    require_room(G, D, config, (6,), "--features")
    free(need - 48_001)
    with pytest.raises(NoRoom, match="a step of 250 examples"):
        require_room(G, D, config, (6,), "--features")
    free(None)
    require_room(G, D, config, (6,), "--features")


@pytest.mark.parametrize(
    "script, options, lower",
    [("mnist_gan.py", ["--dataset", "strokes", "--latent-dim", "9000000000"], "--latent-dim"),
     ("mnist_gan.py", ["--dataset", "strokes", "--model", "dcgan", "--features", "9000000"],
         "--features"),
     ("mnist_gan.py", ["--dataset", "strokes", "--model", "dcgan", "--features", "512",
             "--batch-size", "60000"], "--batch-size"),
     ("mnist_games.py", ["--dataset", "strokes", "--latent-dim", "9000000000"], "--latent-dim"),
     ("toy_2d.py", ["--latent-dim", "90000000000"], "--latent-dim"),
     ("gaussian_1d.py", ["--hidden", "9000000"], "--hidden"),
     ("dcgan.py", ["--train", "--dataset", ".", "--output-height", "1048576"], "--output-height")],
)  # fmt: skip
def test_scripts_refuse_what_does_not_fit(tmp_path, script, options, lower):
    done = inside(*options, "--out", tmp_path / "r", script=EXAMPLES / script)
    assert (
        done.returncode == 2
        and "GiB" in done.stderr
        and lower in done.stderr
        and "Traceback" not in done.stderr
    ), done.stderr
    assert not (tmp_path / "r").exists()


def test_limits_of_control_groups(tmp_path):
    """Version 2 and 1, of the group and of those around it; cached files count as free."""

    def group(path, limit, used, cached, names):
        path.mkdir(parents=True, exist_ok=True)
        for name, value in zip(names, (limit, used, f"{names[3]} {cached}\nother 5")):
            (path / name).write_text(f"{value}\n")

    two = ("memory.max", "memory.current", "memory.stat", "inactive_file")
    group(tmp_path / "v2" / "a" / "b", 1000, 400, 50, two)
    group(tmp_path / "v2" / "a", 700, 600, 0, two)
    group(tmp_path / "v2", "max", 600, 0, two)
    (tmp_path / "own2").write_text("0::/a/b\n")
    assert list(machine_memory._left_in_groups(tmp_path / "v2", tmp_path / "own2")) == [650, 100]
    one = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file")
    group(tmp_path / "v1" / "memory" / "job", 1000, 900, 100, one)
    (tmp_path / "own1").write_text("5:devices:/\n4:cpu,memory:/job\n0::/\n")
    assert list(machine_memory._left_in_groups(tmp_path / "v1", tmp_path / "own1")) == [200]
    # a container sees its own group as the root
    (tmp_path / "inside").write_text("0::/not/visible/here\n")
    group(tmp_path / "v2", 500, 100, 0, two)
    assert list(machine_memory._left_in_groups(tmp_path / "v2", tmp_path / "inside")) == [400]
    assert list(machine_memory._left_in_groups(tmp_path, tmp_path / "absent")) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs ulimit -v and /proc")
def test_the_limit_of_the_process():
    code = "from minigan.machine.memory import available_memory; print(available_memory())"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -v 4000000; '{sys.executable}' -c '{code}'"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert 0 < int(done.stdout) < 4_000_000 * 1024
