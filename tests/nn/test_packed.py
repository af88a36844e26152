"""Packed sequences: what recurrent layers make of them is what they make of each sequence by
itself."""

import fakecuda
import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.nn.sequences import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

LENGTHS = [2, 5, 1, 4]
RNG = np.random.default_rng(0)


def rows(*shape):
    return tensor_of(RNG.standard_normal(shape), True)


def test_packing_and_padding():
    x = rows(4, 5, 3)
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    assert isinstance(packed, PackedSequence) and packed.data.shape == (12, 3)
    assert packed.batch_sizes.tolist() == [4, 3, 2, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 3, 0, 2]
    assert packed.unsorted_indices.tolist() == [2, 0, 3, 1]
    assert minigan.equal(packed.data[:4], x[[1, 3, 0, 2], 0])
    padded, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-7.0)
    assert lengths.tolist() == LENGTHS and padded.shape == x.shape
    for i, n in enumerate(LENGTHS):
        assert minigan.equal(padded[i, :n], x[i, :n]) and (padded[i, n:] == -7).all()
    (g,) = minigan.grad((padded**2).sum(), x)
    inside = np.arange(5) < np.array(LENGTHS)[:, None]
    np.testing.assert_array_equal(g.numpy(), 2 * x.detach().numpy() * inside[..., None])
    assert pad_packed_sequence(packed, total_length=6)[0].shape == (6, 4, 3)
    assert packed.to(np.float32).data.dtype == np.float32 and not packed.is_cuda


def test_padding_at_the_left():
    sequences = [minigan.ones(2, 3), minigan.zeros(1, 3)]
    padded = pad_sequence(sequences, batch_first=True, padding_value=-1, padding_side="left")
    assert padded.shape == (2, 2, 3) and padded[1].tolist() == [[-1, -1, -1], [0, 0, 0]]
    back = unpad_sequence(pad_sequence(sequences), [2, 1])
    assert all(map(minigan.equal, back, sequences))


def test_the_longest_first():
    sequences = [rows(3, 2), rows(3, 2), rows(1, 2)]
    packed = pack_sequence(sequences)
    assert packed.sorted_indices is None and packed.batch_sizes.tolist() == [3, 2, 2]
    assert all(map(minigan.equal, unpack_sequence(packed), sequences))
    assert minigan.equal(pad_packed_sequence(packed)[0], pad_sequence(sequences))
    assert all(
        map(
            minigan.equal,
            unpack_sequence(pack_sequence(sequences[::-1], enforce_sorted=False)),
            sequences[::-1],
        )
    )


@pytest.mark.parametrize(
    "kind, options", [("RNN", {}), ("GRU", {}), ("LSTM", {}), ("LSTM", {"proj_size": 2})]
)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_recurrent_layers(kind, options, bidirectional, given):
    minigan.manual_seed(0)
    layer = getattr(nn, kind)(3, 4, 2, bidirectional=bidirectional, **options).double()
    x, several = rows(5, 4, 3), kind == "LSTM"
    start = None
    if given:
        ways = 2 * (1 + bidirectional)
        start = [rows(ways, 4, options.get("proj_size", 4)), rows(ways, 4, 4)][: 1 + several]

    def whole():
        packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
        out, ends = layer(packed, start and (start if several else start[0]))
        return [*unpack_sequence(out), *(ends if several else [ends])]

    def one_by_one():
        outs, ends = [], []
        for i, n in enumerate(LENGTHS):
            own = start and [s[:, i] for s in start]
            out, end = layer(x[:n, i], own and (own if several else own[0]))
            outs.append(out)
            ends.append(end if several else (end,))
        return [*outs, *(minigan.stack(s, 1) for s in zip(*ends))]

    found, expected = whole(), one_by_one()
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)
    by = [x, *(start or []), *layer.parameters()]
    loss = lambda made: sum((y**2 + y).sum() for y in made)
    for a, b in zip(minigan.grad(loss(found), by), minigan.grad(loss(expected), by), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


def test_on_a_device():
    layer, x = nn.LSTM(3, 4, bidirectional=True), tensor_of(np.ones((5, 4, 3), np.float32))
    expected = pad_packed_sequence(layer(pack_padded_sequence(x, LENGTHS, enforce_sorted=False))[0])
    with fakecuda.installed():
        layer.to("cuda")
        packed = pack_padded_sequence(x.to("cuda"), LENGTHS, enforce_sorted=False)
        assert packed.is_cuda and packed.sorted_indices.is_cuda and not packed.batch_sizes.is_cuda
        out, _ = layer(packed)
        found, lengths = pad_packed_sequence(out)
        assert found.is_cuda and lengths.tolist() == LENGTHS
        np.testing.assert_allclose(
            found.detach().cpu().numpy(), expected[0].detach().numpy(), atol=1e-6
        )
        assert not packed.cpu().is_cuda


def test_errors():
    x = rows(5, 2, 3)
    for lengths, words in (
        ([2, 4], "not sorted, the longest first"),
        ([2, 0], "at least 1"),
        ([2], "each of 2 sequences"),
        ([6, 1], "a length is 6, the batch has 5"),
    ):
        with pytest.raises(RuntimeError, match=words):
            pack_padded_sequence(x, lengths)
    with pytest.raises(ValueError, match="total_length=3"):
        pad_packed_sequence(pack_padded_sequence(x, [5, 1]), total_length=3)
    with pytest.raises(ValueError, match="input_size=4"):
        nn.GRU(4, 2)(pack_padded_sequence(x, [5, 1]))
