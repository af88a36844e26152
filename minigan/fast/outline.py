"""The table of a network's layers asks for shapes only: the two examples that pass through it are
computed by each op's formula, so that no kernel is compiled for them."""

import functools

from ..engine.op import Card
from ..nn import summary as outlines

_select, _summary = Card.select, outlines.summary


def _formula(card, first):
    return card.forward


@functools.wraps(_summary)
def summary(*args, **named):
    Card.select = _formula
    try:
        return _summary(*args, **named)
    finally:
        Card.select = _select


outlines.summary = summary
