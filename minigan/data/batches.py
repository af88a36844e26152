"""Batches of examples, gathered and scaled where the whole set lies: on the device, pictures as
uint8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..arrays import CPU, Generator, array_module, seam, to_device
from ..autograd import Tensor, tensor_of


@seam.dispatched
def gather_scaled(images, index):
    """images[index] as float32 in [-1, 1], (len(index), *images.shape[1:]); images uint8 (N, ...),
    index int64."""
    return images[index].astype(np.float32) / np.float32(127.5) - np.float32(1)


def gather(column, index):
    """column[index]"""
    return column[index]


def part(numbers, start, stop):
    """numbers[start:stop]"""
    return numbers[start:stop]


class Batches:
    """Shuffled batches of a data set for ever, epoch after epoch; the rest that fills no batch is
    left out.

    A batch is given by the numbers of its examples, and `batches[numbers]` is what a game plays
    with: a Tensor for each column.

    data : an `ImageSet`; or its images alone, uint8 (N, C, H, W), or float32 (N, ...), which stay
        as they are
    batch_size : examples per batch, at most N
    seed : with the epoch's number it determines the order of that epoch, so any position can be
        returned to
    device : where the columns are kept and the batches are made
    columns : what a batch has of each example (a game's `columns`): "images", float32 in [-1, 1];
        "labels", int64; others as they are
    """

    def __init__(
        self,
        data: Any,
        batch_size: int,
        seed: int = 0,
        device=CPU,
        columns: Sequence[str] = ("images",),
    ):
        arrays: dict[str, Any] = (
            {"images": data}
            if isinstance(data, np.ndarray)
            else {name: getattr(data, name, None) for name in columns}
        )
        if missing := [name for name in columns if arrays.get(name) is None]:
            raise ValueError(f"columns={tuple(columns)}: these data have no {missing[0]}")
        self.examples = len(arrays[columns[0]])
        if not 1 <= batch_size <= self.examples:
            raise ValueError(
                f"batch_size={batch_size}: expected 1 to {self.examples}, the number of examples"
            )
        if "images" in arrays and arrays["images"].dtype not in (np.uint8, np.float32):
            raise TypeError(
                f"images are {arrays['images'].dtype}: expected uint8 (or float32, which is not "
                "scaled)"
            )
        if "labels" in arrays:
            arrays["labels"] = arrays["labels"].astype(np.int64)
        self.columns = {name: to_device(np.array(array), device) for name, array in arrays.items()}
        self.batch_size = batch_size
        self.seed = seed
        self.device = device
        self.rows = slice(0, batch_size)

    def share(self, rank: int, ranks: int, pack: int = 1) -> None:
        """Go on with a part of each batch: that of process number `rank` of so many (`rows`; they
        differ by one row at most). pack: rows that stay together, one behind the other"""
        packs = self.batch_size // pack
        if ranks > packs:
            what = "example" if pack == 1 else f"pack of {pack} examples"
            raise ValueError(
                f"batch_size={self.batch_size} has no {what} for each of {ranks} processes: raise "
                "it, or start fewer"
            )
        first, last = (packs * r // ranks * pack for r in (rank, rank + 1))
        self.rows = slice(first, last)

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """(size of the whole batch, first row of it that is here, the one behind the last) of each
        stream: of this one."""
        return [(self.batch_size, self.rows.start, self.rows.stop)]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.examples // self.batch_size

    def of_order(self, order: Any, i: int) -> Any:
        """The numbers of the examples in batch i of an order: those of `rows`."""
        return order[i * self.batch_size : (i + 1) * self.batch_size][self.rows]

    def __getitem__(self, numbers) -> tuple[Tensor, ...]:
        """The columns of the examples with these numbers: float32 (n, C, H, W) in [-1, 1] for
        images."""
        found = []
        for column in self.columns.values():
            found.append(
                tensor_of(
                    seam.execute(
                        gather_scaled if column.dtype == np.uint8 else gather, column, numbers
                    )
                )
            )
        return tuple(found)

    def order(self, epoch: int) -> np.ndarray:
        """The permutation of epoch number `epoch` (from 0)."""
        generator = Generator(self.seed)
        # far from every other draw of this seed
        generator.set_state({"seed": self.seed, "counter": (epoch + 1) << 40})
        return generator.permutation(self.examples, self.device)

    def numbers(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """The numbers of the examples of each batch of an epoch, from batch `start` on: int64
        (batch_size,) on the device; with `share`, of its rows."""
        order = self.order(epoch)
        for i in range(start, len(self)):
            yield self.of_order(order, i)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, ...]]:
        """The batches of an epoch themselves, from batch `start` on."""
        return (self[numbers] for numbers in self.numbers(epoch, start))


class Together:
    """Several streams side by side, each with its own order and length: a batch of it has the
    columns of a batch of each, one after the other.

    streams : `Batches` on one device. The longest sets the epoch; a shorter one begins anew, in a
        new order, whenever it is through, so that any position can be returned to.
    """

    def __init__(self, *streams: Batches):
        if not streams or len({stream.device for stream in streams}) > 1:
            raise ValueError("Together: expected at least one stream, all on one device")
        self.streams = streams
        self.device = streams[0].device
        self.examples = max(stream.examples for stream in streams)
        self.batch_size = sum(stream.batch_size for stream in streams)

    def share(self, rank: int, ranks: int, pack: int = 1) -> None:
        """Go on with a part of each batch of each stream, see `Batches.share`."""
        for stream in self.streams:
            stream.share(rank, ranks, pack)

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """Those of the streams."""
        return [part for stream in self.streams for part in stream.parts]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return max(len(stream) for stream in self.streams)

    def __getitem__(self, numbers) -> tuple[Tensor, ...]:
        """The columns of all streams, of the examples with these numbers."""
        found: list[Tensor] = []
        start = 0
        for stream in self.streams:
            # as what a replayed step calls, too
            rows = stream.rows.stop - stream.rows.start
            found += stream[seam.execute(part, numbers, start, start + rows)]
            start += rows
        return tuple(found)

    def numbers(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """The numbers of the examples of each batch of an epoch, from batch `start` on: those of
        all streams in one array."""
        xp = array_module(self.streams[0].order(0))
        orders: dict[int, tuple[int, Any]] = {}
        for n in range(epoch * len(self) + start, (epoch + 1) * len(self)):
            parts = []
            for i, stream in enumerate(self.streams):
                own, batch = divmod(n, len(stream))
                if orders.get(i, (None,))[0] != own:
                    orders[i] = own, stream.order(own)
                order = orders[i][1]
                parts.append(stream.of_order(order, batch))
            yield xp.concatenate(parts)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, ...]]:
        """The batches of an epoch themselves, from batch `start` on."""
        return (self[numbers] for numbers in self.numbers(epoch, start))
