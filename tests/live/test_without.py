"""The command where its library is not installed."""

import pytest

from minigan.live.command import live


def test_without_aiohttp_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "aiohttp", None)
    with pytest.raises(ValueError, match=r"pip install 'minigan\[live\]'"):
        live([])
