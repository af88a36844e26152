"""Batches of a data set, made ahead of time in threads if asked for."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..arrays import Generator, default_generator, drawing_from
from .collate import default_collate
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Iterates over the batches of a data set; arguments and defaults as in
    `torch.utils.data.DataLoader`.

    dataset : anything with `[i]` and `len`, or an IterableDataset
    batch_size : items per batch; None: single items, not collated
    shuffle : a new random order each time, from `generator` (default: minigan's)
    sampler, batch_sampler : iterables of indices, or of lists of indices, instead
    num_workers : threads that get items and make batches ahead of time (0: when they are asked
        for). They are threads, not processes: reading files, Pillow and NumPy run beside each
        other, plain Python code does not. Batches come in the same order as without; random numbers
        in them are those of the seed, but others than without
    collate_fn : makes a batch of a list of items
    drop_last : leave out a last batch that is not full
    timeout : seconds to wait for a batch from a worker (0: for ever)
    worker_init_fn : called with the worker's number in each thread when it starts
    prefetch_factor : batches that each worker may be ahead (default 2)
    pin_memory, persistent_workers, multiprocessing_context, pin_memory_device : accepted; there is
        nothing to do

    An error while an item is made is raised where the batch is asked for, with a note that says
    which indices it was.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None, num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False, drop_last: bool = False, timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None, generator: Generator | None = None, *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False, pin_memory_device: str = "", in_order: bool = True,
    ):  # fmt: skip
        if num_workers < 0 or timeout < 0:
            raise ValueError(
                f"DataLoader: num_workers={num_workers}, timeout={timeout}: expected numbers from "
                "0 on"
            )
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise ValueError(
                "DataLoader: batch_sampler decides what batch_size, shuffle, sampler and "
                "drop_last say: give no others"
            )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler decides the order: give no shuffle")
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: drop_last needs a batch_size")
        self.iterable = isinstance(dataset, IterableDataset)
        if self.iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                "DataLoader: an IterableDataset has no indices: no shuffle, sampler or "
                "batch_sampler"
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.generator = generator
        self.num_workers = num_workers
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.prefetch_factor = 2 if prefetch_factor is None else prefetch_factor
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers
        self.collate_fn = collate_fn or (
            default_collate
            if batch_size is not None or batch_sampler is not None
            else lambda item: item
        )
        if self.iterable:
            sampler = itertools.repeat(None)
        elif sampler is None:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        self.sampler = sampler
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler

    def __len__(self) -> int:
        """Batches in one pass."""
        if self.iterable:
            n = len(self.dataset)
            if self.batch_size is None:
                return n
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        if self.iterable:
            return self._through()
        asked = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        return map(self._make, asked) if not self.num_workers else _Ahead(self, asked)

    def _make(self, index: Any) -> Any:
        """The batch of these indices (or the item of one)."""
        try:
            if self.batch_sampler is None:
                return self.collate_fn(self.dataset[index])
            fetch = getattr(self.dataset, "__getitems__", None)
            return self.collate_fn(fetch(index) if fetch else [self.dataset[i] for i in index])
        except Exception as error:
            shown = (
                f"{list(index[:8])}{' ...' if len(index) > 8 else ''}"
                if isinstance(index, (list, tuple))
                else index
            )
            error.add_note(
                f"DataLoader: while making the batch of indices {shown} of "
                f"{type(self.dataset).__name__}"
            )
            raise

    def _through(self) -> Iterator[Any]:
        """The batches of a data set without indices."""
        items = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, items)
            return
        while batch := list(itertools.islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)


class WorkerInfo(NamedTuple):
    """What a worker of a DataLoader can ask: its number, how many there are, a seed that is
    another in each worker and each pass, and the data set (the same object in all)."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_here = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """In a worker thread of a DataLoader (worker_init_fn, a data set's __getitem__, collate_fn)
    which one it is. None elsewhere: also for an IterableDataset, which is read from its beginning
    to its end in one place, whatever num_workers."""
    return getattr(_here, "info", None)


class _Job:
    """A batch to be made, and then what came of it."""

    __slots__ = ("index", "random", "result", "error", "done")

    def __init__(self, index: Any, random: Generator):
        self.index = index
        self.random = random
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None


class _Ahead:
    """Batches in order, made by threads that are a few ahead. The threads end with the last batch,
    or when nobody holds this iterator any more (a loop that breaks): they hold only its queue."""

    def __init__(self, loader: DataLoader, asked: Iterator[Any]):
        self.asked, self.timeout = asked, loader.timeout or None
        self.jobs: deque[_Job] = deque()
        self.queue = _Queue()
        self.seed = int.from_bytes(default_generator.integers32(2).tobytes(), "little")
        self.number = 0
        for number in range(loader.num_workers):
            threading.Thread(
                target=_work,
                args=(loader, self.queue, number, self.seed),
                daemon=True,
                name=f"minigan-loader-{number}",
            ).start()
        for _ in range(loader.num_workers * loader.prefetch_factor):
            self._ask()

    def _ask(self) -> None:
        for index in itertools.islice(self.asked, 1):
            self.number += 1
            # each batch draws from a stream of its own, whichever thread makes it
            random = Generator()
            random.set_state({"seed": self.seed, "counter": self.number << 40})
            job = _Job(index, random)
            self.jobs.append(job)
            self.queue.put(job)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.jobs:
            self.queue.close()
            raise StopIteration
        job = self.jobs.popleft()
        if not job.done.wait(self.timeout):
            self.queue.close()
            raise RuntimeError(
                f"DataLoader: no batch within timeout={self.timeout} s, for indices {job.index}"
            )
        if job.error is not None:
            self.jobs.clear()
            self.queue.close()
            raise job.error
        self._ask()
        return job.result

    def __del__(self) -> None:
        self.queue.close()


class _Queue:
    """Jobs from one thread to several; once it is closed they are told to stop, and what is left is
    dropped."""

    def __init__(self) -> None:
        self.jobs: deque[_Job] = deque()
        self.closed = False
        self.changed = threading.Condition()

    def put(self, job: _Job) -> None:
        with self.changed:
            self.jobs.append(job)
            self.changed.notify()

    def get(self) -> _Job | None:
        with self.changed:
            self.changed.wait_for(lambda: self.jobs or self.closed)
            return None if self.closed else self.jobs.popleft()

    def close(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()


def _work(loader: DataLoader, queue: _Queue, number: int, seed: int) -> None:
    """What a worker thread does."""
    _here.info = WorkerInfo(number, loader.num_workers, seed + number, loader.dataset)
    problem: Exception | None = None
    try:
        if loader.worker_init_fn is not None:
            loader.worker_init_fn(number)
    except Exception as error:
        problem = error
    while (job := queue.get()) is not None:
        try:
            if problem is not None:
                raise problem
            with drawing_from(job.random):
                job.result = loader._make(job.index)
        except BaseException as error:  # raised again where the batch is asked for
            job.error = error
        job.done.set()
        del job
