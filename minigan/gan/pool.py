"""A pool of earlier fakes: D is shown some of them again, so that it does not forget what G once
made."""

from __future__ import annotations

from collections.abc import Sequence

from .. import nn
from ..autograd import Tensor, no_grad
from ..ops import arange, rand, randint, where, zeros


class Pool(nn.Module):
    """The last fakes, of which some are handed out in the place of new ones (Shrivastava et al.
    2017, section 2.3; as in Zhu et al. 2017, CycleGAN, section 4).

    (N, *shape) -> (N, *shape), outside the tape. One example after the other: while the pool is not
    full, it goes in, and out as it is; then, half of the time, it takes the place of an old one,
    which comes out instead.

    It consists of Tensors which a call writes into, and draws from the default generator as often
    in each call: a round with it is replayed, and resumes to the bit.

    shape : of one example;  size : how many it holds (0: what is given comes out)

    >>> self.pool = Pool((3, 64, 64))                   # in a game's __init__
    >>> self.D(self.pool(fake))                         # in D's move
    """

    examples: Tensor
    filled: Tensor  # how many of them there are

    def __init__(self, shape: Sequence[int], size: int = 50):
        super().__init__()
        if size < 0:
            raise ValueError(f"Pool: size={size}: expected at least 0")
        self.shape, self.size = tuple(shape), size
        self.register_buffer("examples", zeros((size, *self.shape)))
        self.register_buffer("filled", zeros((), dtype="int64"))

    def forward(self, fake: Tensor) -> Tensor:
        if fake.shape[1:] != self.shape:
            raise ValueError(
                f"Pool: examples of shape {tuple(fake.shape[1:])} for a pool of {self.shape}"
            )
        with no_grad():
            return self._exchange(fake.detach()) if self.size else fake.detach()

    def _exchange(self, fake: Tensor) -> Tensor:
        n, place = len(fake), fake.device
        number = arange(n, device=place)
        coin = rand(n, device=place) < 0.5
        drawn = randint(self.size, (n,), device=place)
        enters = self.filled + number < self.size
        slot = where(enters, self.filled + number, drawn)
        puts = enters | coin  # what stays in the pool
        # of this batch, the last before i that went into i's slot: what i finds there
        found = _last(puts & (slot[:, None] == slot) & (number < number[:, None]), number)
        old = _chosen(found, fake, self.examples[slot])
        shown = where(_like(coin & ~enters, fake), old, fake)
        kept = _last(puts & (slot == arange(self.size, device=place)[:, None]), number)
        self.examples.copy_(_chosen(kept, fake, self.examples))
        self.filled.copy_((self.filled + n).clamp(max=self.size))
        return shown


def _last(true: Tensor, number: Tensor) -> Tensor:
    """Of each row of bools (M, N), the number of the last that is true; -1 where none is."""
    return where(true, number, -1).amax(1)


def _chosen(number: Tensor, fake: Tensor, otherwise: Tensor) -> Tensor:
    """fake[number] where number is not -1, else what is there in `otherwise`."""
    return where(_like(number >= 0, fake), fake[number.clamp(min=0)], otherwise)


def _like(rows: Tensor, examples: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, ...), to be broadcast with examples."""
    return rows.reshape(-1, *[1] * (examples.ndim - 1))
