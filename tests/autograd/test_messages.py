"""Messages name what the user called, in torch's words; no private name of a card, no signature of
NumPy's."""

import re

import pytest

import minigan
from minigan import nn
from minigan.messages.names import called, public
from minigan.nn import functional as F

PRIVATE = (
    "extreme|argextreme|put|setitem|getitem|norm2|bce|bce_logits|masked_scale|plane_gather|"
    "pick_rows|logical|pad_constant|identity"
)
PRIVATE = re.compile(rf"\b({PRIVATE})\b|gufunc|newaxis|remapped|\baxis\b")


def r(*sizes):
    return minigan.rand(*sizes)


def recorded(x, value):
    x[0] = value


FAILING = {
    "max": lambda: minigan.zeros(0).max(), "min": lambda: minigan.zeros(0).min(),
    "amax": lambda: minigan.zeros(0).amax(),
    "argmax": lambda: minigan.zeros(0).argmax(), "x[index]": lambda: r(2, 3)[5],
    "index_select": lambda: r(2, 3).index_select(0, minigan.tensor([9])),
    "x[index] = value": lambda: recorded(r(2, 3) * minigan.ones(3, requires_grad=True), r(4)),
    "masked_fill": lambda: r(2, 3).masked_fill(r(4) > 0, 0.0),
    "matmul": lambda: r(2, 3) @ r(4, 5), "mm": lambda: minigan.mm(r(2, 3), r(4, 5)),
    "bmm": lambda: minigan.bmm(r(2, 2, 3), r(2, 4, 5)),
    "mv": lambda: minigan.mv(r(2, 3), r(4)), "addmm": lambda: minigan.addmm(r(2, 5), r(2, 3), r(4,
            5)),
    "linear": lambda: F.linear(r(2, 3), r(4, 5)),
    "view": lambda: r(2, 3).view(5), "reshape": lambda: r(2, 3).reshape(4, -1),
    "expand": lambda: r(2, 3).expand(4, 3),
    "cat": lambda: minigan.cat([r(2, 3), r(2, 4)]), "add": lambda: r(2, 3) + r(4),
    "lerp": lambda: minigan.lerp(r(2), r(3), 0.5),
    "binary_cross_entropy": lambda: nn.BCELoss()(r(2, 1) + 3, r(2, 1)),
    "prelu": lambda: F.prelu(r(2, 3), r(4)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_a_failing_call_is_named_as_it_was_written(name):
    with pytest.raises(Exception) as error:
        FAILING[name]()
    said = str(error.value)
    assert re.match(rf"{re.escape(name)}(\(.*?\))?: ", said), said
    reason = said.partition("; given")[0].partition(": ")[2]
    assert not PRIVATE.search(reason.replace(name, "")), said


@pytest.mark.parametrize(
    "call, said",
    [(lambda: r(2, 3) @ r(4, 5), "shapes (2, 3) and (4, 5) cannot be multiplied"),
     (lambda: r(2, 3) @ minigan.tensor(1.0), "both need at least one dimension"),
     (lambda: r(2, 2, 3) @ r(3, 3, 4), "batch sizes differ"),
     (lambda: nn.Linear(3, 4)(r(2, 5)), "input (2, 5) and weight (4, 3) differ"),
     (lambda: r(2, 3)[0, 0, 0], "3 indices for 2 dimensions"),
     (lambda: r(2, 3)[5], "index 5 is out of bounds for dimension 0 with size 2"),
     (lambda: r(2, 3) + r(4), "shapes (2,3) and (4,) cannot be broadcast together"),
     (lambda: r(2, 3).reshape(4, -1), "6 elements do not fit into the shape (4,-1)"),
     (lambda: r(2, 3).expand(4, 3), "shape (2, 3) cannot be expanded to (4,3)")],
)  # fmt: skip
def test_reasons_are_those_of_tensors(call, said):
    with pytest.raises(Exception) as error:
        call()
    assert said in str(error.value)


DIFFERENTIATED = {
    "max": (lambda y: y.amax(1), "max"), "layer": (lambda y: F.layer_norm(y, (4,)), "layer_norm"),
    "norm": (lambda y: y.norm(), "norm"),
    "logits": (lambda y: F.binary_cross_entropy_with_logits(y, minigan.zeros(3, 4)),
        "binary_cross_entropy_with_logits"),
    "conv": (lambda y: F.conv1d(y[None], minigan.ones(2, 3, 2, requires_grad=True)), "conv1d"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_backward_says_public_names(name):
    call, expected = DIFFERENTIATED[name]
    x = minigan.ones(3, 4, requires_grad=True)
    loss = call(x * 1.0).sum()
    loss.backward()
    for change in (False, True):
        y = x * 1.0
        loss = call(y).sum()
        if change:
            y.mul_(2)
        else:
            loss.backward()
        with pytest.raises(
            RuntimeError, match=f"backward (of|through) [a-z0-9_, ]*{expected}"
        ) as error:
            loss.backward()
        assert not PRIVATE.search(str(error.value))


def test_public_names():
    assert (
        public("extreme") == "max or min"
        and public("tanh") == "tanh"
        and public("tanh_grad") == "the gradient of tanh"
    )
    assert called("tanh") == "tanh"


@pytest.mark.parametrize("sizes", [(0,), (2,), (2, 3)])
def test_the_truth_of_several_elements_is_ambiguous(sizes):
    """torch raises RuntimeError."""
    for ask in (lambda x: not x, lambda x: x and x, lambda x: 1 if x else 2):
        with pytest.raises(RuntimeError, match=r"ambiguous.*any\(\) or x\.all\(\)"):
            ask(r(*sizes))
    assert minigan.tensor([[3.0]]) and not minigan.tensor(0.0)
