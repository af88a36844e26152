"""Tensors without dimensions, empty batches, comparisons with what is no number, and other edges:
as in PyTorch 2.13."""

import numpy as np
import pytest

import minigan
import minigan.nn.functional as F
from minigan import nn
from minigan.autograd import tensor_of

S = minigan.tensor(3.0)
ZERO = minigan.tensor(0)
FIRST = minigan.tensor([0])

SCALARS = {
    "softmax": (lambda x: x.softmax(0), 1.0), "log_softmax": (lambda x: x.log_softmax(-1), 0.0),
    "F.softmin": (lambda x: F.softmin(x, 0), 1.0),
    "cumsum": (lambda x: x.cumsum(0), 3.0), "prod": (lambda x: x.prod(0), 3.0),
    "sum": (lambda x: x.sum(-1), 3.0),
    "sum of several": (lambda x: x.sum((0,)), 3.0), "mean": (lambda x: x.mean(0), 3.0),
    "amax": (lambda x: x.amax(-1, keepdim=True), 3.0),
    "norm": (lambda x: x.norm(dim=0), 3.0), "logsumexp": (lambda x: x.logsumexp(0), 3.0),
    "argmax": (lambda x: x.argmax(0), 0),
    "argmin": (lambda x: x.argmin(-1), 0), "all": (lambda x: x.all(0), True),
    "any": (lambda x: x.any(-1), True),
    "argsort": (lambda x: x.argsort(0), 0), "flip": (lambda x: x.flip(0), 3.0),
    "flip by name": (lambda x: x.flip(dims=(0,)), 3.0),
    "roll": (lambda x: x.roll(1, 0), 3.0), "transpose": (lambda x: x.transpose(0, -1), 3.0),
    "squeeze": (lambda x: x.squeeze(-1), 3.0),
    "movedim": (lambda x: x.movedim(0, 0), 3.0), "permute": (lambda x: x.permute(()), 3.0),
    "gather": (lambda x: x.gather(0, ZERO), 3.0),
    "index_select": (lambda x: x.index_select(0, FIRST), 3.0),
    "index_fill": (lambda x: x.index_fill(0, FIRST, 2.0), 2.0),
    "index_add": (lambda x: x.index_add(0, FIRST, x), 6.0),
    "index_copy": (lambda x: x.index_copy(0, FIRST, x * 2), 6.0),
    "scatter": (lambda x: x.scatter(0, ZERO, 5.0), 5.0),
    "scatter_add": (lambda x: x.scatter_add(0, ZERO, x), 6.0),
    "normalize": (lambda x: F.normalize(x, dim=0), 1.0),
    "prelu": (lambda x: F.prelu(-x, minigan.tensor([0.5])), -1.5),
    "prelu of 0-d weight": (lambda x: F.prelu(-x, minigan.tensor(0.5)), -1.5),
    "count_nonzero": (lambda x: x.count_nonzero(0), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_a_dimension_of_a_tensor_without_dimensions(name):
    call, expected = SCALARS[name]
    found = call(S)
    assert (
        found.shape == ()
        and found.item() == pytest.approx(expected, rel=1e-6)
        and type(found.item()) is type(expected)
    )


@pytest.mark.parametrize("call", [
    lambda x: x.max(0), lambda x: x.min(-1), lambda x: x.max(0, keepdim=True), lambda x: x.sort(),
    lambda x: x.sort(0, descending=True),
    lambda x: x.topk(1), lambda x: x.topk(1, 0, False),
])  # fmt: skip
def test_values_and_indices_of_a_tensor_without_dimensions(call):
    values, indices = call(S)
    assert (
        (values.shape, indices.shape) == ((), ())
        and (values.item(), indices.item()) == (3.0, 0)
        and indices.dtype == np.int64
    )


def test_their_gradients():
    x = minigan.tensor(3.0, requires_grad=True)
    for y in (
        x.max(0)[0],
        x.sort()[0],
        x.topk(1)[0],
        x.cumsum(0),
        x.flip(0),
        x.index_select(0, FIRST),
        x.gather(0, ZERO),
        x.prod(0),
    ):
        assert minigan.grad(y, x)[0].tolist() == 1.0
    w = minigan.tensor([0.5], requires_grad=True)
    assert [g.tolist() for g in minigan.grad(F.prelu(x * -1, w), (x, w))] == [-0.5, [-3.0]]


def test_errors_of_tensors_without_dimensions():
    for call in (
        lambda: S.sum(1),
        lambda: S.softmax(1),
        lambda: S.sort(-2),
        lambda: S.flip(1),
        lambda: S.index_select(1, FIRST),
    ):
        with pytest.raises(IndexError, match="out of range"):
            call()
    for call in (S.tril, S.triu):
        with pytest.raises(ValueError, match="at least 2 dimensions"):
            call()
    assert (
        S.nonzero().shape == (1, 0)
        and ZERO.nonzero().shape == (0, 0)
        and S.gather(0, minigan.tensor([0, 0])).tolist() == [3, 3]
    )


def test_empty_indices():
    x = minigan.arange(6.0).reshape(2, 3).requires_grad_()
    none = minigan.zeros(0, dtype=np.int64)
    assert (
        x.index_select(1, none).shape == (2, 0)
        and x.gather(0, none.reshape(2, 0)).shape == (2, 0)
        and x[none].shape == (0, 3)
    )
    assert minigan.arange(5.0).gather(0, none.reshape(2, 0)).shape == (2, 0)
    (g,) = minigan.grad(x.gather(1, none.reshape(2, 0)).sum(), x)
    assert g.tolist() == [[0] * 3] * 2
    assert minigan.equal(x.index_add(0, none, minigan.zeros(0, 3)), x) and minigan.equal(
        x.index_fill(0, none, 1.0), x
    )


class Something:
    pass


@pytest.mark.parametrize(
    "other", [None, "a", Something(), [1.0, 2.0], (1, 2), {}], ids=lambda x: type(x).__name__
)
def test_comparison_with_what_is_no_number(other):
    x = minigan.tensor([1.0, 2.0])
    assert (
        (x == other) is False
        and (x != other) is True
        and (other == x) is False
        and (other != x) is True
    )
    for compare in (lambda: x < other, lambda: x >= other):
        with pytest.raises(TypeError):
            compare()


def test_membership():
    x = minigan.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert (
        2 in x
        and 5 not in x
        and minigan.tensor(4.0) in x
        and None not in [x]
        and x in [None, x]
        and True in (x > 3)
    )
    for other in (None, "a", [1.0]):
        with pytest.raises(TypeError, match="expected a number or a Tensor"):
            other in x  # noqa: B015


def test_cat_of_a_vector_without_elements():
    batch, none = minigan.ones(2, 3), minigan.tensor([])
    assert minigan.cat([none, batch]).shape == (2, 3) and minigan.cat([batch, none], 1).shape == (
        2,
        3,
    )
    assert minigan.cat([none, none]).shape == (0,) and minigan.cat(
        [none, batch, none, batch], -1
    ).shape == (2, 6)
    assert minigan.cat([none, minigan.arange(3)]).dtype == np.float32  # its dtype counts
    x = minigan.ones(2, 2, requires_grad=True)
    (g,) = minigan.grad((minigan.cat([none, x, x * 2]) ** 2).sum(), x)
    assert g.tolist() == [[10, 10], [10, 10]]


LAYERS = [
    (lambda: nn.LayerNorm(3), (0, 3)), (lambda: nn.LayerNorm(3), (2, 0, 3)),
    (lambda: nn.LayerNorm((3, 4)), (0, 3, 4)),
    (lambda: nn.GroupNorm(1, 3), (0, 3)), (lambda: nn.GroupNorm(3, 3), (0, 3, 4)),
    (lambda: nn.InstanceNorm2d(3), (0, 3, 4, 4)),
    (lambda: nn.BatchNorm1d(3), (0, 3)), (lambda: nn.BatchNorm2d(3), (0, 3, 4, 4)),
    (lambda: nn.Linear(3, 2), (0, 3)),
    (lambda: nn.Conv2d(3, 2, 3), (0, 3, 8, 8)), (lambda: nn.ConvTranspose2d(3, 2, 4, 2, 1), (0, 3,
            8, 8)),
    (lambda: nn.MaxPool2d(2), (0, 3, 8, 8)), (lambda: nn.AvgPool2d(2), (0, 3, 8, 8)),
    (lambda: nn.AdaptiveAvgPool2d(2), (0, 3, 8, 8)),
    (lambda: nn.Softmax(1), (0, 3)), (lambda: nn.PReLU(3), (0, 3)),
    (lambda: nn.LeakyReLU(0.2), (0,)), (lambda: nn.Flatten(), (0, 3, 4)),
    (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (0, 3, 4, 4)),
    (lambda: nn.PixelShuffle(2), (0, 4, 4, 4)),
    (lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LeakyReLU(0.2)), (0, 3)),
    (lambda: nn.LSTM(3, 4), (5, 0, 3)),
]  # fmt: skip


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("make, shape", LAYERS)
def test_layers_of_an_empty_batch(make, shape, training):
    layer, x = make().train(training), minigan.zeros(*shape, requires_grad=True)
    before = {k: v.clone() for k, v in layer.state_dict().items() if k.startswith("running")}
    y = layer(x)
    y = y[0] if isinstance(y, tuple) else y
    assert 0 in y.shape
    y.sum().backward()
    assert x.grad.shape == shape and all(
        p.grad is not None and not p.grad.any() for p in layer.parameters()
    )
    assert all(minigan.equal(v, layer.state_dict()[k]) for k, v in before.items())


@pytest.mark.parametrize(
    "loss",
    [
        F.mse_loss,
        F.l1_loss,
        F.smooth_l1_loss,
        F.binary_cross_entropy,
        F.binary_cross_entropy_with_logits,
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:Mean of empty", "ignore:divide by zero")
def test_losses_of_nothing(loss):
    x = minigan.zeros(0, 3)
    assert np.isnan(loss(x, x).item()) and loss(x, x, reduction="sum").item() == 0


def test_a_repeated_subscript_takes_the_diagonal():
    x = minigan.arange(9.0).reshape(3, 3).requires_grad_()
    assert minigan.einsum("ii->i", x).tolist() == [0, 4, 8] and minigan.einsum("ii", x).item() == 12
    y = minigan.arange(27.0).reshape(3, 3, 3)
    assert (
        minigan.einsum("iji->ij", y).tolist() == [[0, 3, 6], [10, 13, 16], [20, 23, 26]]
        and minigan.einsum("iii", y).item() == 39
    )
    assert minigan.einsum("ii,jj->", x, x).item() == 144 and minigan.einsum("bii->bi", y).shape == (
        3,
        3,
    )
    (g,) = minigan.grad((minigan.einsum("ii->i", x) ** 2).sum(), x)
    assert g.tolist() == [[0, 0, 0], [0, 8, 0], [0, 0, 16]]


def test_clamp_between_tensors():
    """Gradients of x, low and high; where low > high the result is high."""
    x = minigan.tensor([-2.0, 0.5, 3.0, 0.0], requires_grad=True)
    low = minigan.tensor([-1.0, 0.0, 1.0, 2.0], requires_grad=True)
    high = minigan.tensor([1.0, 1.0, 2.0, 1.0], requires_grad=True)
    y = x.clamp(low, high)
    assert y.tolist() == [-1, 0.5, 2, 1]
    assert [g.tolist() for g in minigan.grad(y.sum(), (x, low, high))] == [
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 1, 1],
    ]
    assert minigan.grad(x.clamp_min(low).sum(), low)[0].tolist() == [1, 0, 0, 1]
    assert minigan.grad(x.clamp(max=minigan.tensor(1.0, requires_grad=True)).sum(), x)[
        0
    ].tolist() == [1, 1, 0, 1]
    bound = minigan.tensor(1.0, requires_grad=True)
    assert minigan.grad(x.clamp_max(bound).sum(), bound)[0].item() == 1


def test_a_product_keeps_only_what_its_gradient_needs():
    """The other factor of a constant may change, or be freed."""
    x, w = minigan.ones(2, 3), minigan.ones(3, 2, requires_grad=True)
    h = w * 1
    y = x @ h
    h.data.fill_(7)
    h.data = minigan.zeros(1)
    y.sum().backward()
    assert w.grad.tolist() == [[2, 2]] * 3
    v = minigan.ones(3, requires_grad=True)
    h = v * 1
    y = x @ h
    h.add_(1)
    y.sum().backward()
    assert v.grad.tolist() == [2, 2, 2]


def test_hinge_embedding_of_other_targets():
    x = minigan.tensor([0.5, -1.0, 2.0, 0.25])
    loss = F.hinge_embedding_loss(x, minigan.tensor([1.0, -1.0, 0.0, 2.0]), reduction="none")
    assert loss.tolist() == [0.5, 2.0, 2.0, 1.0]


def test_kl_div_of_impossible_targets():
    with np.errstate(invalid="ignore"):
        loss = F.kl_div(
            minigan.tensor([-1.0, -2.0, -3.0]), minigan.tensor([0.0, 0.5, -0.1]), reduction="none"
        )
    assert loss.tolist()[:2] == pytest.approx([0.0, 0.65342641]) and np.isnan(loss[2].item())


def test_integer_powers_and_divisions():
    x, e = tensor_of(np.array([0, 1, -1, -1, 2, 3])), tensor_of(np.array([-1, -2, -3, -2, -1, 2]))
    assert x.pow(e).tolist() == [0, 1, -1, 1, 0, 9]
    with pytest.raises(RuntimeError, match="negative integer powers"):
        x.pow(-1)
    for call in (
        lambda: x // 0,
        lambda: x % 0,
        lambda: x.fmod(0),
        lambda: 7 // x,
        lambda: x.floor_divide(x),
    ):
        with pytest.raises(RuntimeError, match="by which integers cannot be divided"):
            call()
    assert (minigan.tensor([1000000001]) // 2).tolist() == [500000000]  # float32 has no such number
    assert minigan.tensor([1, 2]).byte().add(minigan.tensor([5, 5]).byte(), alpha=-3).tolist() == [
        242,
        243,
    ]
    assert minigan.tensor([float("nan"), -2.0]).sign().tolist() == [0, -1]
    assert minigan.tensor([1234.567]).round(decimals=-2).item() == 1200 and minigan.tensor(
        [0.125]
    ).round(decimals=2).item() == pytest.approx(0.12)


NAN = float("nan")


@pytest.mark.parametrize(
    "name, of_x, of_y",
    [  # as in torch
        ("maximum", [1, 1, 0.5, 1, 0], [1, 1, 0.5, 1, 1]),
        ("minimum", [1, 1, 0.5, 1, 1], [1, 1, 0.5, 1, 0]),
        ("fmax", [0, 1, 1, 1, 0], [1, 0, 0, 0, 1]),
        ("fmin", [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]),
    ],
)
def test_gradients_of_the_larger_of_equal_numbers_and_nan(name, of_x, of_y):
    x = minigan.tensor([NAN, 1, 2, NAN, 3], requires_grad=True)
    y = minigan.tensor([1, NAN, 2, NAN, 4], requires_grad=True)
    getattr(minigan, name)(x, y).sum().backward()
    assert x.grad.tolist() == of_x and y.grad.tolist() == of_y


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_lp_pool_passes_on_that_a_window_has_no_root():
    x = minigan.tensor([[[1, -1, 2, 3, 0.5, 0.25, 0, 0]]], dtype=minigan.float64)
    y = F.lp_pool1d(x.requires_grad_(), 1.5, 2)
    y.sum().backward()
    assert y.detach().numpy() == pytest.approx(
        np.array([[[NAN, 4.00818899, 0.6118152, 0]]]), nan_ok=True
    )
    assert x.grad.numpy() == pytest.approx(
        np.array([[[NAN, NAN, 0.70638408, 0.86514028, 0.9040134, 0.63923401, 0, 0]]]), nan_ok=True
    )
