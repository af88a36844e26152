"""DataLoader, the data sets it takes, and how batches are made."""

import collections
import gc
import threading
import time

import numpy as np
import pytest

import minigan
from minigan import Tensor
from minigan.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    random_split,
)
from minigan.data.loader import get_worker_info

Point = collections.namedtuple("Point", "x y")


class Squares(Dataset):
    def __init__(self, n, slow=()):
        self.n, self.slow = n, slow

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i in self.slow:
            time.sleep(0.02)
        return i * i


class Count(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


def workers():
    return [t for t in threading.enumerate() if t.name.startswith("minigan-loader")]


def wait_for_no_workers():
    end = time.monotonic() + 600
    while workers() and time.monotonic() < end:
        time.sleep(0.01)
    return not workers()


def listed(loader):
    return [batch.tolist() for batch in loader]


# --- collate ---


def test_collate_kinds():
    b = default_collate([1, 2])
    assert b.dtype == np.int64 and b.tolist() == [1, 2]
    assert default_collate([1.5, 2]).dtype == np.float64  # as torch
    assert default_collate([True, False]).dtype == bool
    assert default_collate([np.float32(1), np.float32(2)]).dtype == np.float32
    assert default_collate(["a", "b"]) == ["a", "b"]
    stacked = default_collate([np.zeros((2, 3), np.uint8), np.ones((2, 3), np.uint8)])
    assert isinstance(stacked, Tensor) and stacked.shape == (2, 2, 3) and stacked.dtype == np.uint8
    assert default_collate([minigan.ones(2), minigan.zeros(2)]).tolist() == [[1, 1], [0, 0]]


def test_collate_nests():
    items = [{"x": (i, np.ones(2) * i), "p": Point(i, [float(i), "s"])} for i in range(3)]
    batch = default_collate(items)
    assert (
        batch["x"][0].tolist() == [0, 1, 2]
        and batch["x"][1].shape == (3, 2)
        and isinstance(batch["x"], list)
    )
    assert (
        isinstance(batch["p"], Point)
        and batch["p"].y[0].tolist() == [0, 1, 2]
        and batch["p"].y[1] == ["s"] * 3
    )


def test_collate_refuses():
    with pytest.raises(RuntimeError, match="different lengths"):
        default_collate([(1, 2), (1,)])
    with pytest.raises(TypeError, match="collate_fn"):
        default_collate([object()])
    with pytest.raises(ValueError, match="equal shapes"):
        default_collate([np.ones(2), np.ones(3)])
    with pytest.raises(TypeError, match="collate_fn"):
        default_collate([np.array(["a"]), np.array(["b"])])


# --- data sets ---


def test_data_sets():
    pairs = TensorDataset(minigan.arange(6).view(6, 1), minigan.arange(6) * 10)
    assert len(pairs) == 6 and [v.tolist() for v in pairs[2]] == [[2], 20]
    assert [v.tolist() for v in Subset(pairs, [5, 0])[0]] == [[5], 50]
    both = Squares(3) + Squares(2)
    assert isinstance(both, ConcatDataset) and len(both) == 5
    assert [both[i] for i in range(5)] == [0, 1, 4, 0, 1] and both[-1] == 1
    for i in (5, -6):
        with pytest.raises(IndexError, match="out of range for 5"):
            both[i]
    with pytest.raises(ValueError, match="first sizes"):
        TensorDataset(minigan.ones(2), minigan.ones(3))
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Dataset()[0]


def test_random_split():
    parts = random_split(Squares(10), [0.55, 0.45])
    assert [len(p) for p in parts] == [6, 4]
    assert sorted(i for p in parts for i in p.indices) == list(range(10))
    a, b = (
        random_split(Squares(10), [7, 3], generator=minigan.Generator().manual_seed(5))[1].indices
        for _ in range(2)
    )
    assert a == b and len(a) == 3
    with pytest.raises(ValueError, match="do not add up to 10"):
        random_split(Squares(10), [7, 4])


# --- order ---


@pytest.mark.parametrize("num_workers", [0, 1, 3])
@pytest.mark.parametrize("drop_last", [False, True])
def test_batches_in_order(num_workers, drop_last):
    loader = DataLoader(
        Squares(11, slow={1, 5}), batch_size=3, num_workers=num_workers, drop_last=drop_last
    )
    expected = [[i * i for i in range(k, min(k + 3, 11))] for k in range(0, 11, 3)]
    expected = expected[:3] if drop_last else expected
    assert len(loader) == len(expected)
    for _ in range(2):
        assert listed(loader) == expected
    assert wait_for_no_workers()


def test_shuffle_is_the_generators():
    loader = DataLoader(Squares(20), batch_size=4, shuffle=True)
    minigan.manual_seed(7)
    first, second = listed(loader), listed(loader)
    assert first != second and sorted(sum(first, [])) == sorted(sum(second, [])) == [
        i * i for i in range(20)
    ]
    minigan.manual_seed(7)
    assert listed(loader) == first
    own = [
        DataLoader(Squares(20), 4, True, generator=minigan.Generator().manual_seed(1))
        for _ in range(2)
    ]
    assert listed(own[0]) == listed(own[1])


def test_samplers():
    data = Squares(6)
    assert listed(DataLoader(data, 2, sampler=[3, 1, 0])) == [[9, 1], [0]]
    assert listed(
        DataLoader(data, batch_sampler=BatchSampler(SequentialSampler(data), 4, False))
    ) == [[0, 1, 4, 9], [16, 25]]
    assert sorted(sum(listed(DataLoader(data, 2, sampler=SubsetRandomSampler([1, 2, 3]))), [])) == [
        1,
        4,
        9,
    ]
    weighted = WeightedRandomSampler([0, 0, 1, 0, 3, 0], 200)
    counts = collections.Counter(weighted)
    assert set(counts) == {2, 4} and 100 < counts[4] < 190 and len(weighted) == 200
    many = list(RandomSampler(data, replacement=True, num_samples=50))
    assert len(many) == 50 and set(many) <= set(range(6))
    assert len(list(RandomSampler(data, num_samples=4))) == 4 and sorted(
        RandomSampler(data)
    ) == list(range(6))


def test_no_batches():
    assert [x for x in DataLoader(Squares(3), batch_size=None)] == [0, 1, 4]
    assert listed(DataLoader(Count(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert listed(DataLoader(Count(5), batch_size=2, drop_last=True, num_workers=2)) == [
        [0, 1],
        [2, 3],
    ]
    assert list(DataLoader(Count(2), batch_size=None)) == [0, 1]
    assert DataLoader(Squares(4), 2, collate_fn=sum).__iter__().__next__() == 1


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"num_workers": -1}, "num_workers=-1"),
        ({"shuffle": True, "sampler": [0]}, "sampler decides"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler decides"),
        ({"batch_size": None, "drop_last": True}, "drop_last needs"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(Squares(3), **options)
    with pytest.raises(ValueError, match="no indices"):
        DataLoader(Count(3), shuffle=True)


# --- threads ---


def test_threads_end_when_the_loop_breaks():
    for i, _ in enumerate(DataLoader(Squares(1000), num_workers=2)):
        if i == 2:
            break
    gc.collect()
    assert wait_for_no_workers()
    loader = iter(DataLoader(Squares(1000), num_workers=2))
    next(loader)
    assert len(workers()) == 2
    del loader
    assert wait_for_no_workers()


@pytest.mark.parametrize("num_workers", [0, 2])
def test_errors_come_where_the_batch_is_asked_for(num_workers):
    class Broken(Squares):
        def __getitem__(self, i):
            if i == 5:
                raise KeyError("no such picture")
            return super().__getitem__(i)

    seen = []
    with pytest.raises(KeyError, match="no such picture") as error:
        for batch in DataLoader(Broken(12), batch_size=2, num_workers=num_workers):
            seen.append(batch.tolist())
    assert seen == [[0, 1], [4, 9]]
    assert any("indices [4, 5] of Broken" in note for note in error.value.__notes__)
    del error
    assert wait_for_no_workers()


def test_workers_are_ahead_but_not_far():
    asked = []

    class Seen(Squares):
        def __getitem__(self, i):
            asked.append(i)
            return i

    loader = iter(DataLoader(Seen(100), num_workers=2, prefetch_factor=3))
    next(loader)
    end = time.monotonic() + 600
    while len(asked) < 7 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(asked) == 7  # the one that was taken, and 2 * 3 ahead


def test_timeout_and_start_of_workers():
    numbers = []
    loader = DataLoader(Squares(4), num_workers=2, worker_init_fn=numbers.append)
    assert listed(loader) == [[0], [1], [4], [9]] and sorted(numbers) == [0, 1]

    over = threading.Event()

    class Stuck(Squares):
        def __getitem__(self, i):
            over.wait(600)

    with pytest.raises(RuntimeError, match="no batch within timeout=0.05"):
        next(iter(DataLoader(Stuck(2), num_workers=1, timeout=0.05)))
    over.set()

    def fail(number):
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        next(iter(DataLoader(Squares(2), num_workers=1, worker_init_fn=fail)))


def test_workers_know_which_one_they_are():
    class Told(list):
        def __getitem__(self, i):
            info = get_worker_info()
            return (i, info and info.id) if info is None or info.dataset is self else "another"

    started = []
    data = Told(range(8))
    loader = DataLoader(
        data,
        batch_size=None,
        num_workers=2,
        worker_init_fn=lambda number: started.append((number, get_worker_info())),
    )
    made = list(loader)
    assert [i for i, _ in made] == list(range(8)) and {n for _, n in made} <= {0, 1}
    assert all(n == info.id and info.num_workers == 2 for n, info in started)
    assert len({info.seed for _, info in started}) == len(started) == 2
    assert list(DataLoader(data, batch_size=None)) == [(i, None) for i in range(8)]
    assert get_worker_info() is None


def test_random_numbers_in_workers_repeat():
    class Noise(Squares):
        def __getitem__(self, i):
            time.sleep(0.001 * (i % 3))
            return minigan.rand(1)

    found = []
    for num_workers in (2, 4):
        minigan.manual_seed(11)
        found.append(sum(listed(DataLoader(Noise(16), 2, num_workers=num_workers)), []))
        assert wait_for_no_workers()
    assert found[0] == found[1] and len({x for (x,) in found[0]}) == 16


@pytest.mark.torch
def test_batches_as_torch():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader as Theirs

    items = [
        {"a": i, "b": (0.5 * i, np.float32(i)), "c": np.arange(3) + i, "d": "x" * i, "e": i > 1}
        for i in range(5)
    ]

    def plain(x):
        if hasattr(x, "tolist"):
            return str(x.dtype).replace("torch.", ""), x.tolist()
        return (
            {k: plain(v) for k, v in x.items()}
            if isinstance(x, dict)
            else [plain(v) for v in x]
            if isinstance(x, list)
            else x
        )

    assert [plain(b) for b in DataLoader(items, 2)] == [plain(b) for b in Theirs(items, 2)]
    assert torch.__version__
