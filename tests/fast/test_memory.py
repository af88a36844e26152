"""How much memory is left to this process."""

import subprocess
import sys

import pytest

from minigan.fast.cpu import memory as backend_memory


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
    assert list(backend_memory._left_in_groups(tmp_path / "v2", tmp_path / "own2")) == [650, 100]
    one = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file")
    group(tmp_path / "v1" / "memory" / "job", 1000, 900, 100, one)
    (tmp_path / "own1").write_text("5:devices:/\n4:cpu,memory:/job\n0::/\n")
    assert list(backend_memory._left_in_groups(tmp_path / "v1", tmp_path / "own1")) == [200]
    (tmp_path / "inside").write_text("0::/not/visible/here\n")  # a container sees its own group as the root
    group(tmp_path / "v2", 500, 100, 0, two)
    assert list(backend_memory._left_in_groups(tmp_path / "v2", tmp_path / "inside")) == [400]
    assert list(backend_memory._left_in_groups(tmp_path, tmp_path / "absent")) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs ulimit -v and /proc")
def test_the_limit_of_the_process():
    code = "from minigan.fast.cpu.memory import available_memory; print(available_memory())"
    done = subprocess.run(["bash", "-c", f"ulimit -v 4000000; '{sys.executable}' -c '{code}'"], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 4_000_000 * 1024
