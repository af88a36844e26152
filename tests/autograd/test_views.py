"""Which results share memory with their argument, and which are copies: as in torch, in whatever
order results lie in memory."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def made(lib, *shape):
    return lib.from_numpy(numbers(*shape))


def linear(lib):
    return lib.nn.functional.linear(made(lib, 4, 3), made(lib, 6, 3))


def gradient(lib):
    x = made(lib, 4, 6).requires_grad_()
    return lib.autograd.grad(lib.nn.functional.linear(x, made(lib, 3, 6)).pow(2).sum(), x)[0]


# Each a (4, 6) whose elements torch lays out row by row.
SOURCES = {
    "leaf": lambda lib: made(lib, 4, 6),
    "linear": linear,
    "linear with a bias": lambda lib: lib.nn.functional.linear(made(lib, 4, 3), made(lib, 6, 3),
        made(lib, 6)),
    "linear, relu": lambda lib: lib.relu(linear(lib)),
    "linear, times 2": lambda lib: linear(lib) * 2,
    "linear, cloned": lambda lib: linear(lib).clone(),
    "einsum": lambda lib: lib.einsum("ij,jk->ik", made(lib, 4, 3), made(lib, 3, 6)),
    "batch_norm": lambda lib: lib.nn.functional.batch_norm(linear(lib), None, None, training=True),
    "layer_norm": lambda lib: lib.nn.functional.layer_norm(linear(lib), (6,)),
    "softmax of transposed": lambda lib: made(lib, 6, 4).t().softmax(0),
    "product of transposed": lambda lib: made(lib, 3, 4).t() @ made(lib, 6, 3).t(),
    "indexed": lambda lib: made(lib, 4, 9)[:, [0, 2, 4, 6, 8, 1]],
    "conv": lambda lib: lib.nn.functional.conv1d(made(lib, 4, 2, 6), made(lib, 1, 2, 1))[:, 0] + 0,
    "sum of permuted": lambda lib: made(lib, 6, 2, 4).permute(2, 0, 1).sum(2),
    "cat of transposed": lambda lib: lib.cat([made(lib, 3, 4).t(), made(lib, 3, 4).t()], 1),
    "zeros_like": lambda lib: lib.zeros_like(linear(lib)),
    "gradient": gradient,
}  # fmt: skip

VIEWS = {
    "view(-1)": lambda lib, x: x.view(-1),
    "view of sizes": lambda lib, x: x.view(2, 2, 6),
    "view_as": lambda lib, x: x.view_as(lib.zeros(8, 3)),
    "reshape": lambda lib, x: x.reshape(3, 8),
    "reshape_as": lambda lib, x: x.reshape_as(lib.zeros(3, 8)),
    "flatten": lambda lib, x: x.flatten(),
    "ravel": lambda lib, x: x.ravel(),
    "unflatten": lambda lib, x: x.unflatten(1, (2, 3)),
    "squeeze": lambda lib, x: x.unsqueeze(0).squeeze(0),
    "squeeze all": lambda lib, x: x.unsqueeze(1).squeeze(),
    "unsqueeze": lambda lib, x: x.unsqueeze(-1),
    "t": lambda lib, x: x.t(),
    "T": lambda lib, x: x.T,
    "mT": lambda lib, x: x.mT,
    "transpose": lambda lib, x: x.transpose(0, 1),
    "swapaxes": lambda lib, x: x.swapaxes(0, 1),
    "einsum of one": lambda lib, x: lib.einsum("ij->ji", x),
    "einsum of one, as it is": lambda lib, x: lib.einsum("ij->ij", x),
    "permute": lambda lib, x: x.permute(1, 0),
    "movedim": lambda lib, x: x.movedim(0, 1),
    "expand nothing": lambda lib, x: x.expand(4, 6),
    "expand by a size 1": lambda lib, x: x.expand(1, 4, 6),
    "expand_as": lambda lib, x: x.expand_as(x),
    "broadcast_to": lambda lib, x: lib.broadcast_to(x, (1, 4, 6)),
    "broadcast_tensors": lambda lib, x: lib.broadcast_tensors(x, lib.zeros(1))[0],
    "meshgrid": lambda lib, x: lib.meshgrid(x[0], lib.zeros(1), indexing="ij")[0],
    "a row of expand": lambda lib, x: x.expand(3, 4, 6)[1],
    "narrow": lambda lib, x: x.narrow(1, 2, 3),
    "select": lambda lib, x: x.select(1, 2),
    "unbind": lambda lib, x: x.unbind(0)[1],
    "iteration": lambda lib, x: list(x)[2],
    "split": lambda lib, x: x.split(4, 1)[1],
    "split, sections": lambda lib, x: x.split([1, 5], 1)[1],
    "chunk": lambda lib, x: x.chunk(2, 1)[1],
    "diagonal": lambda lib, x: x.diagonal(),
    "diagonal, offset": lambda lib, x: x.diagonal(2),
    "diagonal, negative": lambda lib, x: x.unsqueeze(0).diagonal(-1, 1, 2),
    "index int": lambda lib, x: x[1],
    "index np.int64": lambda lib, x: x[np.int64(1)],
    "index 0-d Tensor": lambda lib, x: x[lib.tensor(1)],
    "index 0-d Tensors": lambda lib, x: x[lib.tensor(1), lib.tensor(-1)],
    "index slice and 0-d Tensor": lambda lib, x: x[1:, lib.tensor(2)],
    "index element": lambda lib, x: x[1, 2],
    "index slices": lambda lib, x: x[1:3, ::2],
    "index slice of Tensors": lambda lib, x: x[lib.tensor(1) : lib.tensor(3)],
    "index None": lambda lib, x: x[None, :, None],
    "index ...": lambda lib, x: x[..., 1],
    "index all": lambda lib, x: x[:],
    "detach": lambda lib, x: x.detach(),
    "data": lambda lib, x: x.data,
    "real": lambda lib, x: x.real,
    "contiguous": lambda lib, x: x.contiguous(),
    "to": lambda lib, x: x.to(x.dtype),
    "cpu": lambda lib, x: x.cpu(),
    "view of view": lambda lib, x: x.view(-1)[3:21].view(3, 6).t()[1:, 0],
    "from numpy()": lambda lib, x: lib.from_numpy(x.detach().numpy()),
    "Parameter": lambda lib, x: lib.nn.Parameter(x).data,
    "dropout, eval": lambda lib, x: lib.nn.functional.dropout(x, 0.5, training=False),
    "Identity": lambda lib, x: lib.nn.Identity()(x),
}  # fmt: skip

COPIES = {
    "repeat": lambda lib, x: x.repeat(2, 1),
    "repeat 1": lambda lib, x: x.repeat(1, 1),
    "repeat of size 1": lambda lib, x: x[:1, :1].repeat(3, 1),
    "repeat of one": lambda lib, x: x[0, :1].repeat(4),
    "repeat of 0-d": lambda lib, x: x[0, 0].repeat(4),
    "repeat in front": lambda lib, x: x[0, :1].repeat(3, 1),
    "tile": lambda lib, x: x.tile(2, 1),
    "tile of size 1": lambda lib, x: x[:, :1].tile(1, 3),
    "tile 1": lambda lib, x: x.tile(1),
    "rot90 by 0": lambda lib, x: x.rot90(0),
    "rot90 by 1": lambda lib, x: x.rot90(1),
    "rot90 by 2": lambda lib, x: x.rot90(2),
    "flip": lambda lib, x: x.flip(0),
    "flip of size 1": lambda lib, x: x[:1].flip(0),
    "roll by 0": lambda lib, x: x.roll(0, 0),
    "clone": lambda lib, x: x.clone(),
    "pixel_shuffle by 1": lambda lib, x: lib.nn.functional.pixel_shuffle(x.view(1, 4, 2, 3), 1),
    "pixel_shuffle of a pixel": lambda lib, x: lib.nn.functional.pixel_shuffle(x.view(6, 4, 1, 1),
        2),
    "pixel_unshuffle by 1": lambda lib, x: lib.nn.functional.pixel_unshuffle(x.view(1, 4, 2, 3), 1),
    "repeat_interleave 1": lambda lib, x: x.repeat_interleave(1, 0),
    "cat of one": lambda lib, x: lib.cat([x]),
    "stack of one": lambda lib, x: lib.stack([x]),
    "hstack of one": lambda lib, x: lib.hstack([x]),
    "index_select": lambda lib, x: x.index_select(0, lib.tensor([1])),
    "gather": lambda lib, x: x.gather(0, lib.zeros(1, 6).long()),
    "take": lambda lib, x: x.take(lib.tensor([0, 1])),
    "masked_select": lambda lib, x: x.masked_select(x == x),
    "masked_fill": lambda lib, x: x.masked_fill(x > 99, 0.0),
    "where": lambda lib, x: lib.where(x == x, x, 0.0),
    "diag": lambda lib, x: x[:, :4].diag(),
    "index list": lambda lib, x: x[[1]],
    "index 1-d Tensor": lambda lib, x: x[lib.tensor([1])],
    "index Tensor and list": lambda lib, x: x[lib.tensor(1), [0, 1]],
    "index mask": lambda lib, x: x[x == x],
    "index mask of rows": lambda lib, x: x[x[:, 0] < 99],
    "einsum, summed": lambda lib, x: lib.einsum("ijk->jk", x.unsqueeze(0)),
    "tril": lambda lib, x: x.tril(9),
    "triu": lambda lib, x: x.triu(-9),
    "contiguous of transposed": lambda lib, x: x.t().contiguous(),
    "reshape of transposed": lambda lib, x: x.t().reshape(-1),
    "flatten of transposed": lambda lib, x: x.t().flatten(),
    "ravel of transposed": lambda lib, x: x.t().ravel(),
    "reshape of columns": lambda lib, x: x[:, 1:3].reshape(-1),
    "reshape of transposed, times 2": lambda lib, x: (x.t() * 2).reshape(-1),
    "sum over size 1": lambda lib, x: x.unsqueeze(0).sum(0),
    "mean over size 1": lambda lib, x: x.unsqueeze(0).mean(0),
    "amax over size 1": lambda lib, x: x.unsqueeze(0).amax(0),
    "max over size 1": lambda lib, x: x.unsqueeze(0).max(0)[0],
    "prod over size 1": lambda lib, x: x.unsqueeze(0).prod(0),
    "cumsum over size 1": lambda lib, x: x.unsqueeze(0).cumsum(0),
    "logsumexp over size 1": lambda lib, x: x.unsqueeze(0).logsumexp(0),
    "sort": lambda lib, x: x[:1].sort(0)[0],
    "avg_pool2d by 1": lambda lib, x: lib.nn.functional.avg_pool2d(x.view(1, 1, 4, 6), 1),
    "max_pool2d by 1": lambda lib, x: lib.nn.functional.max_pool2d(x.view(1, 1, 4, 6), 1),
    "adaptive_avg_pool2d": lambda lib, x: lib.nn.functional.adaptive_avg_pool2d(x.view(1, 1, 4, 6),
        (4, 6)),
    "interpolate by 1": lambda lib, x: lib.nn.functional.interpolate(x.view(1, 1, 4, 6),
        scale_factor=1),
    "pad by 0": lambda lib, x: lib.nn.functional.pad(x, (0, 0)),
    "pad by 0, reflect": lambda lib, x: lib.nn.functional.pad(x.view(1, 4, 6), (0, 0),
        mode="reflect"),
    "clamp": lambda lib, x: x.clamp(-99, 99),
    "times 1": lambda lib, x: x * 1,
    "plus 0": lambda lib, x: x + 0,
    "pow 1": lambda lib, x: x**1,
    "relu": lambda lib, x: x.relu(),
    "to, copied": lambda lib, x: x.to(x.dtype, copy=True),
    "tensor": lambda lib, x: lib.tensor(x.detach().numpy()),
    "index_put": lambda lib, x: x.index_put((lib.tensor([0]),), lib.tensor(1.0)),
}  # fmt: skip


def values(x):
    return np.array(x.detach().tolist())


def source(lib, make, recorded):
    x = make(lib)
    return x.detach() if not recorded else x * lib.ones(1, requires_grad=True)


def check_view(lib, make, view, recorded):
    x = source(lib, make, recorded)
    before, places = values(x), values(view(lib, lib.arange(24.0).view(4, 6))).astype(int)
    got = view(lib, x)
    np.testing.assert_array_equal(values(got), before.reshape(-1)[places])
    with lib.no_grad():
        got.fill_(9.0)
    expected = before.reshape(-1).copy()
    expected[places] = 9.0
    np.testing.assert_array_equal(values(x).reshape(-1), expected)
    with lib.no_grad():
        x.mul_(0.0).sub_(3.0)
    assert (values(got) == -3).all()


def check_copy(lib, make, copy, recorded):
    x = source(lib, make, recorded)
    before = values(x)
    got = copy(lib, x)
    with lib.no_grad():
        got.fill_(9.0)
        np.testing.assert_array_equal(values(x), before)
        x.fill_(5.0)
        assert (values(got) == 9).all()
        got[..., :1] = 2.0
        got.sub_(1.0)
        assert (values(got)[..., :1] == 1).all() and (values(got)[..., 1:] == 8).all()


def in_every_order(check, lib, function):
    for name, make in SOURCES.items():
        for recorded in (False, True):
            try:
                check(lib, make, function, recorded)
            except Exception as error:
                kind = "recorded" if recorded else "a constant"
                raise AssertionError(f"of {name}, {kind}: {error}") from error


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_share_memory(view):
    in_every_order(check_view, minigan, view)


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_copies_do_not(copy):
    in_every_order(check_copy, minigan, copy)


@pytest.mark.torch
@pytest.mark.parametrize("check, table", [(check_view, VIEWS), (check_copy, COPIES)])
def test_the_tables_are_torchs(check, table):
    torch = pytest.importorskip("torch")
    for function in table.values():
        in_every_order(check, torch, function)


# Strides as torch 2.13 gives them; x (3, 4) and y (4, 3) lie row by row.
STRIDES = [
    (lambda x, y: x.t() * 2, (1, 4)),
    (lambda x, y: x.t() + y, (1, 4)),
    (lambda x, y: y + x.t(), (3, 1)),
    (lambda x, y: x.t() + minigan.ones(3), (1, 4)),
    (lambda x, y: minigan.ones(3) + x.t(), (1, 4)),
    (lambda x, y: x.t().clone(), (1, 4)),
    (lambda x, y: x.t().double(), (1, 4)),
    (lambda x, y: x.t().relu().exp(), (1, 4)),
    (lambda x, y: minigan.where(x.t() > 0, y, y), (1, 4)),
    (lambda x, y: minigan.where(y > 0, x.t(), y), (3, 1)),
    (lambda x, y: x.t().flip(0), (1, 4)),
    (lambda x, y: x.t().softmax(0), (3, 1)),
    (lambda x, y: x.t().cumsum(0), (3, 1)),
    (lambda x, y: x.t().roll(1, 0), (3, 1)),
    (lambda x, y: minigan.cat([x.t(), x.t()]), (3, 1)),
    (lambda x, y: x.t() @ x, (4, 1)),
    (lambda x, y: nn.functional.linear(y, y) * 2, (4, 1)),
    (lambda x, y: nn.functional.linear(y, y) + x.t() @ x, (4, 1)),
    (lambda x, y: x.t()[:, :1] + y, (3, 1)),
    (lambda x, y: minigan.ones(4, 1).expand(4, 3) * 2, (3, 1)),
    (lambda x, y: minigan.ones(4, 6)[:, ::2] * 2, (3, 1)),
    (lambda x, y: minigan.ones(6, 4).t()[:, ::2] * 2, (1, 4)),
    (lambda x, y: minigan.ones(2, 3, 4).permute(2, 0, 1) + minigan.ones(2, 1), (1, 12, 4)),
    (lambda x, y: minigan.zeros_like(x.t()), (1, 4)),
    (lambda x, y: minigan.from_numpy(numbers(3, 4).T) * 2, (1, 4)),
    (lambda x, y: nn.functional.linear(y, y).t(), (1, 4)),
    (lambda x, y: nn.functional.linear(y, y).t() * 2, (1, 4)),
]


@pytest.mark.parametrize("make, strides", STRIDES, ids=range(len(STRIDES)))
def test_strides(make, strides):
    x = make(tensor_of(numbers(3, 4)), tensor_of(numbers(4, 3)))
    contiguous = strides == tuple(np.empty(x.shape, np.int8).strides)
    assert (
        x.is_contiguous() == contiguous
        and x.stride() == strides
        and x.is_contiguous() == contiguous
    )
    if not contiguous:
        with pytest.raises(RuntimeError, match=r"view: .* without a copy: use reshape"):
            x.view(-1)


def test_view_never_copies():
    x = tensor_of(numbers(4, 6))
    for seen in (x.t(), x[:, 1:], x[:, :1].expand(4, 3)):
        with pytest.raises(
            RuntimeError,
            match=r"view: a tensor of shape .* cannot be seen in shape .* without a copy",
        ):
            seen.view(-1)
    assert x[:, 1:].view(2, 2, 5).shape == (2, 2, 5) and x[:0].t().view(-1).shape == (0,)


def test_what_is_itself():
    x = minigan.zeros(3)
    assert (
        x.flatten() is x and x.contiguous() is x and x.to(x.dtype) is x and x.real is x and +x is x
    )
    y = nn.functional.linear(minigan.ones(4, 3), minigan.ones(2, 3))
    assert y.contiguous() is y and y.flatten(1) is y
    assert x.ravel() is not x
    assert (
        x.view(3) is not x
        and x.reshape(3) is not x
        and x.expand(3) is not x
        and x[...] is not x
        and x.detach() is not x
    )


def test_gradients_flow_through_writes_into_views_of_a_linear_result():
    x, w = (tensor_of(np.float64(v), True) for v in ([[1, 2], [3, 4]], [[1, 0], [2, 1], [0, 1]]))
    s = tensor_of(np.float64(5.0), True)
    y = nn.functional.linear(x, w)  # [[1, 4, 2], [3, 10, 4]]
    flat = y.view(-1)
    flat[1] = s
    flat[3:] *= s
    assert y.tolist() == [[1, 5, 2], [15, 50, 20]]
    (y * y).sum().backward()
    # d/dy = [[2, 10, 4], [30, 100, 40]]; of what linear gave [[2, 0, 4], [150, 500, 200]]
    assert s.grad.item() == 10 + 30 * 3 + 100 * 10 + 40 * 4
    assert x.grad.tolist() == [[2, 4], [1150, 700]] and w.grad.tolist() == [
        [452, 604],
        [1500, 2000],
        [604, 808],
    ]


def test_second_order_through_a_viewed_result():
    x, w = (tensor_of(numbers(*n).astype(np.float64), True) for n in ((4, 3), (6, 3)))

    def function(x, w):
        y = nn.functional.linear(x, w).tanh()
        y.view(-1)[::5] *= 2
        return (y.view(8, 3) ** 2).sum()

    assert minigan.autograd.gradcheck(function, (x, w)) and minigan.autograd.gradgradcheck(
        function, (x, w)
    )


def test_saved_values_outlast_a_new_layout():
    x, w = (tensor_of(numbers(*n).astype(np.float64), True) for n in ((4, 3), (6, 3)))
    expected = minigan.grad(nn.functional.linear(x, w).exp().sum(), [x, w])
    y = nn.functional.linear(x, w)
    z = y.exp()  # saves its result, and mul below its argument
    out = (z * z.detach() / z.detach()).sum()
    z.view(-1)
    y.view(-1)
    for g, e in zip(minigan.grad(out, [x, w]), expected):
        np.testing.assert_allclose(g.tolist(), e.tolist(), rtol=1e-9)


def test_expanded_views_are_written_like_torchs():
    x = minigan.ones(3)
    x.expand(1, 3).add_(1)
    assert x.tolist() == [2, 2, 2]
    one = minigan.ones(1)
    e = one.expand(3)
    e[0].add_(1)
    assert e.tolist() == [2, 2, 2]
    e[0] = 5.0
    assert one.tolist() == [5]
    e.fill_(2)
    assert one.tolist() == [2]
    e.index_fill_(0, minigan.tensor([0]), 1.0)
    assert one.tolist() == [1]
    e.masked_fill_(e > 0, 4.0)
    assert one.tolist() == [4]
    writes = [
        lambda: e.add_(1), lambda: e.copy_(minigan.zeros(3)), lambda: e.relu_(),
        lambda: e.__setitem__(slice(None), minigan.zeros(3)),
        lambda: e.mul_(minigan.ones(1, requires_grad=True)),
    ]  # fmt: skip
    for write in writes:
        with pytest.raises(
            RuntimeError,
            match="into a tensor whose elements share memory, as expand.* makes them: write",
        ):
            write()
    assert one.tolist() == [4] and minigan.ones(3, 1, 0).clamp_(-1, 1).shape == (3, 1, 0)


def test_a_recorded_write_into_a_part_of_an_expanded_view():
    x, v = minigan.zeros(2, 3), minigan.ones(1, 3).requires_grad_()
    e = x.expand(2, 2, 3)
    e[0:1, 1:] = v * 4
    assert x.tolist() == [[0, 0, 0], [4, 4, 4]] and x.requires_grad
    (x * x).sum().backward()
    assert v.grad.tolist() == [[32, 32, 32]]
    x, v = minigan.zeros(1, 3), tensor_of(np.float32(3.0), True)
    x.expand(2, 3)[:, 1:] = v
    x.expand(4, 3)[..., :1].fill_(1.0)
    assert x.tolist() == [[1, 3, 3]]
    (x * x).sum().backward()
    assert v.grad.item() == 12
    with pytest.raises(
        RuntimeError, match="item assignment into a tensor whose elements share memory"
    ):
        x.expand(2, 3)[[0]] = v


# --- does a view require a gradient? ---


def test_a_view_requires_a_gradient_where_its_base_does():
    w = tensor_of(np.float32(3.0), True)
    base = minigan.zeros(3)
    view = base[:2]
    base.mul_(w)
    assert view.requires_grad and not view.is_leaf and view.grad_fn is not None
    base = minigan.zeros(3)
    view = base[:2]
    beside = base[1:]
    apart = base.detach()
    view.mul_(w)
    assert (
        base.requires_grad and not base.is_leaf and beside.requires_grad and not apart.requires_grad
    )
    base = minigan.zeros(3)
    view = base[:2]
    with minigan.no_grad():
        base.mul_(w)
    assert not view.requires_grad
    view = base[:2]
    base.requires_grad_()
    assert view.requires_grad and (view * 2).requires_grad


@pytest.mark.parametrize("leaf", [True, False])
def test_a_view_made_under_no_grad_requires_a_gradient_that_goes_nowhere(leaf):
    w = tensor_of(numbers(2, 2), True)
    x = w if leaf else w * 1
    with minigan.no_grad():
        view = x.view(-1)
        assert (
            view.view(2, 2).requires_grad
            and not view.detach().requires_grad
            and not (view * 1).requires_grad
        )
        assert w.numpy() is w.array
    assert view.requires_grad and view.is_leaf and view.grad_fn is None
    (view * 2).sum().backward()
    assert view.grad is None and w.grad is None


def test_requires_grad_is_an_error_where_it_cannot_be():
    for integers in (minigan.tensor([1]), minigan.tensor([True]), minigan.zeros(2, dtype=np.uint8)):
        with pytest.raises(
            RuntimeError,
            match="only tensors of floating-point numbers can require gradients, this one is",
        ):
            integers.requires_grad = True
        integers.requires_grad = False
        with pytest.raises(RuntimeError, match="only tensors of floating-point"):
            integers.requires_grad_()
        with pytest.raises(RuntimeError, match="only tensors of floating-point"):
            nn.Parameter(integers)
        with pytest.raises(RuntimeError, match="only tensors of floating-point"):
            minigan.zeros_like(integers, requires_grad=True)
    y = tensor_of(numbers(2), True) * 2
    with pytest.raises(RuntimeError, match="on the result of an op"):
        y.requires_grad = False
    y.requires_grad = True


def test_three_thousand_nested_views():
    w = tensor_of(np.ones(4, np.float32), True)
    x = w * 1
    views = [x]
    for _ in range(3000):
        views.append(views[-1].view(-1))
    views[-1].mul_(2.0)
    views[1500].add_(w)
    assert views[700].tolist() == [3, 3, 3, 3]
    (views[2000] * views[10]).sum().backward()
    assert w.grad.tolist() == [18, 18, 18, 18]
    del views, x
