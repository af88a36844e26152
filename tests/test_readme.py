"""The README in Chinese says what the English one says: commands, figures, links."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
ENGLISH, CHINESE = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md")
)
BLOCKS = re.findall(r"```\n(.*?)```", CHINESE, re.S)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.strip()]


def test_there_are_commands():
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_those_of_the_english_one(command):
    assert command in ENGLISH


def test_its_figures_are_those_of_the_english_one():
    figures = re.findall(r"\d+\.\d+(?= %| 毫秒|（PyTorch| 倍)", CHINESE)
    assert len(figures) >= 5
    assert [x for x in figures if x not in ENGLISH] == []


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_links_lead_somewhere(text):
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(links) > 5
    assert [x for x in links if "://" not in x and not (ROOT / x).exists()] == []
