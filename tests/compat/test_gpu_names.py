"""What torch.cuda's names tell of a GPU (pytest -m gpu)."""

import pytest

import minigan

pytestmark = pytest.mark.gpu


def test_names():
    assert minigan.cuda.is_available() and minigan.cuda.device_count() >= 1
    assert "free" in minigan.cuda.memory_summary() and minigan.cuda.get_device_name()
    minigan.cuda.synchronize()
