"""A value that backward needs and that was changed after it was saved: an error that names op and
argument, never a wrong number."""

import numpy as np
import pytest

import minigan
from minigan import no_grad
from minigan.autograd import tensor_of


def leaf(*values):
    return tensor_of(np.array(values, np.float64), True)


WRITES = {
    "add_": lambda x: x.add_(1.0),
    "add_ of a gradient": lambda x: x.add_(tensor_of(np.ones(3)), alpha=-0.1),
    "sub_": lambda x: x.sub_(1.0),
    "mul_": lambda x: x.mul_(2.0),
    "div_": lambda x: x.div_(2.0),
    "clamp_": lambda x: x.clamp_(-0.1, 0.1),
    "copy_": lambda x: x.copy_(np.zeros(3)),
    "fill_": lambda x: x.fill_(0.5),
    "zero_": lambda x: x.zero_(),
    "item assignment": lambda x: x.__setitem__(0, 5.0),
    "slice assignment": lambda x: x.__setitem__(slice(0, 2), tensor_of(np.ones(2))),
    "through data": lambda x: x.data.mul_(3.0),
    "+= on data": lambda x: exec("x.data -= 1.0", {"x": x}),
    "through detach()": lambda x: x.detach().add_(1.0),
    "through a view": lambda x: minigan.identity(x).add_(1.0),
    "through a view of a view": lambda x: minigan.identity(minigan.identity(x)).add_(1.0),
    "through an indexed view": lambda x: x[1:].add_(1.0),
    "through a reshaped view": lambda x: x.reshape(3, 1).zero_(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_write_is_noticed(write):
    x, w = leaf(1.0, 2.0, 3.0), leaf(4.0, 5.0, 6.0)
    y = x * w
    with no_grad():
        write(w)
    with pytest.raises(
        RuntimeError,
        match=r"backward of mul: its argument other \(a leaf of shape \(3,\)\) was changed in "
        r"place",
    ):
        y.backward(tensor_of(np.array([1.0, -1.0, 2.0])))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_write_is_noticed_with_create_graph(write):
    x, w = leaf(1.0, 2.0, 3.0), leaf(4.0, 5.0, 6.0)
    y = x * w
    with no_grad():
        write(w)
    with pytest.raises(RuntimeError, match="backward of mul: its argument other"):
        minigan.grad(y, x, tensor_of(np.array([1.0, -1.0, 2.0])), create_graph=True)


def test_a_write_to_the_source_of_a_saved_view():
    w = leaf(4.0, 5.0, 6.0)
    y = minigan.expand(w, (2, 3)).exp() * minigan.expand(w, (2, 3))
    with no_grad():
        w.mul_(2.0)
    with pytest.raises(RuntimeError, match="backward of mul: its argument other"):
        y.backward(tensor_of(np.ones((2, 3))))


def test_a_saved_result():
    x = leaf(1.0, 2.0)
    y = x.exp()
    with no_grad():
        y.mul_(2.0)
    with pytest.raises(RuntimeError, match="backward of exp: its result was changed in place"):
        y.backward(tensor_of(np.array([1.0, 0.5])))


def test_an_inner_value():
    x = leaf(1.0, 2.0)
    y = x * 2.0
    z = y * y
    with no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match="backward of mul: its argument input was changed"):
        z.backward(tensor_of(np.array([1.0, 0.5])))


def test_a_constant():
    """Also Tensors without gradients are watched: recording a write to them is no error, using them
    afterwards is."""
    x, c = leaf(1.0, 2.0), tensor_of(np.array([3.0, 4.0]))
    y = x * c
    c.add_(1.0)
    with pytest.raises(RuntimeError, match="backward of mul: its argument other was changed"):
        y.backward(tensor_of(np.array([1.0, 0.5])))


def test_arguments_of_an_op_with_any_number_of_them():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = minigan.einsum("i,i->", a, b)
    with no_grad():
        b.add_(1.0)
    with pytest.raises(RuntimeError, match="backward of _?einsum.*changed in place"):
        y.backward()


def test_a_named_parameter_is_named():
    x, w = leaf(1.0), leaf(2.0)
    w.name = "D.3.weight"
    y = x * w
    with no_grad():
        w.add_(1.0)
    with pytest.raises(RuntimeError, match="argument other .D.3.weight of shape"):
        y.backward()


def test_an_optimiser_step_between_forward_and_backward():
    """The mistake of a GAN loop: G's loss through D's old graph after D has stepped."""
    g, d = leaf(0.5), leaf(2.0)
    score = (g * 3.0) * d
    (gd,) = minigan.grad(score, d, retain_graph=True)
    with no_grad():
        d.sub_(gd, alpha=0.1)
    with pytest.raises(RuntimeError, match="backward of mul: its argument other"):
        minigan.grad(score, g)


def test_writes_to_values_that_were_not_saved_are_allowed():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x + w
    with no_grad():
        w.add_(1.0)
        x.zero_()
    y.backward(tensor_of(np.array([1.0, 0.5])))
    np.testing.assert_array_equal(w.grad.array, [1.0, 0.5])


def test_writes_before_the_forward_or_after_the_backward_are_allowed():
    w = leaf(3.0)
    for _ in range(3):
        with no_grad():
            w.mul_(2.0)
        (w * w).backward()
    assert w.item() == 24 and w.grad.item() == 2 * (6 + 12 + 24)


def test_a_write_to_an_op_that_is_not_walked_is_no_error():
    x = leaf(1.0)
    w = leaf(2.0)
    v = leaf(3.0)
    y = x * w + v * v
    with no_grad():
        v.add_(1.0)
    assert minigan.grad(y, w)[0].item() == 1


def test_a_copy_is_another_memory():
    x, w = leaf(1.0), leaf(2.0)
    y = x * w
    copy = tensor_of(w.array.copy())
    copy.add_(1.0)
    y.backward()
    assert x.grad.item() == 2


def test_grad_is_not_watched_by_the_forward():
    """Accumulating into .grad does not invalidate graphs."""
    x = leaf(2.0)
    y, z = x * x, x * x * x
    y.backward()
    z.backward()
    assert x.grad.item() == 16


@pytest.mark.parametrize("write", ["add_", "sub_", "mul_", "div_", "copy_", "fill_"])
def test_writing_into_a_leaf_while_recording_is_refused(write):
    x = leaf(1.0, 2.0)
    with pytest.raises(
        RuntimeError, match=f"{write} would change a leaf that requires grad.*no_grad"
    ):
        getattr(x, write)(1.0)
    with pytest.raises(
        RuntimeError, match=f"{write} would change a leaf that requires grad through a view"
    ):
        getattr(x[:1], write)(1.0)
    with pytest.raises(RuntimeError, match="item assignment would change"):
        x[0] = 1.0
    with pytest.raises(RuntimeError, match="add_ would change a leaf"):
        x += 1.0
    assert x.tolist() == [1.0, 2.0]


def test_other_memory_leaves_what_was_saved():
    """`.data =` exchanges the memory: the tape has the old one, and its gradients are those of the
    old values."""
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * w
    w.data = tensor_of(np.array([50.0, 60.0]))
    y.backward(tensor_of(np.array([1.0, -1.0])), retain_graph=True)
    np.testing.assert_array_equal(x.grad.array, [3.0, -4.0])
    (dx,) = minigan.grad(y, x, tensor_of(np.ones(2)), create_graph=True)
    np.testing.assert_array_equal(dx.array, [3.0, 4.0])
    (dw,) = minigan.grad((dx * dx).sum(), w)  # of the leaf that has them no more
    np.testing.assert_array_equal(dw.array, [6.0, 8.0])
    np.testing.assert_array_equal((x * w).tolist(), [50.0, 120.0])


def test_data_shares_the_memory_of_what_it_is_given():
    x, y = leaf(1.0, 2.0), tensor_of(np.array([3.0, 4.0]))
    x.data = y
    y.fill_(7.0)
    assert x.tolist() == [7.0, 7.0] and x.requires_grad and x.is_leaf


def test_detach_shares_memory_and_data_does_too():
    x = leaf(1.0, 2.0)
    assert x.detach().array is x.array and not x.detach().requires_grad
    x.detach().zero_()
    assert x.tolist() == [0.0, 0.0]
    x.data.add_(3.0)
    assert x.tolist() == [3.0, 3.0]
    x.data[0] = 9.0
    x.data *= 2.0
    assert x.tolist() == [18.0, 6.0] and x.requires_grad
