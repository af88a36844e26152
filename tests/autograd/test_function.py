"""Functions with a backward of one's own, as in PyTorch."""

import gc
import weakref

import numpy as np
import pytest

import minigan
from minigan.autograd import Function, gradcheck, gradgradcheck, tensor_of
from minigan.autograd.function import once_differentiable


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class Reverse(Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return g.neg() * ctx.scale, None


class Product(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return (g * y if ctx.needs_input_grad[0] else None), (g * x).sum() if ctx.needs_input_grad[
            1
        ] else None


def leaf(*values):
    return tensor_of(np.array(values, np.float64), True)


@pytest.mark.parametrize("function", [Cube, Exp])
def test_derivatives(function):
    x = leaf(0.5, -1.5, 2.0)
    assert gradcheck(function.apply, [x]) and gradgradcheck(function.apply, [x])
    assert gradcheck(lambda v: function.apply(v * 2).sin(), [x])


def test_arguments():
    x, y = leaf(1.0, 2.0), tensor_of(np.array(3.0), True)
    Product.apply(x, y).sum().backward()
    assert x.grad.tolist() == [3, 3] and y.grad.item() == 3
    Product.apply(x.detach(), y).sum().backward()
    assert y.grad.item() == 6
    (g,) = minigan.grad((Reverse.apply(x * 2, 0.5) ** 2).sum(), x)
    assert g.tolist() == [-4, -8]


def test_forward_may_give_its_argument():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * x

    x = leaf(2.0, 3.0)
    assert Same.apply(x).data_ptr() == x.data_ptr() and x.is_leaf
    (g,) = minigan.grad(Same.apply(x).sum(), x)
    assert g.tolist() == [2, 3]


def test_without_recording():
    x = leaf(1.0)
    with minigan.no_grad():
        assert not Cube.apply(x).requires_grad
    assert not Cube.apply(x.detach()).requires_grad and Cube.apply(x).grad_fn.op.__name__ == "Cube"


def test_a_changed_argument_is_noticed():
    x = leaf(1.0) * 1
    y = Cube.apply(x)
    with minigan.no_grad():
        x.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_wrong_functions():
    class Few(Product):
        @staticmethod
        def backward(ctx, g):
            return g

    class Nothing(Cube):
        @staticmethod
        def backward(ctx, g):
            return None

    class Number(Cube):
        @staticmethod
        def forward(ctx, x):
            return 3.0

    with pytest.raises(RuntimeError, match="1 gradients for 2 arguments"):
        Few.apply(leaf(1.0), leaf(2.0)).backward()
    with pytest.raises(RuntimeError, match="None for argument 0"):
        Nothing.apply(leaf(1.0)).backward()

    class InPlace(Cube):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x

    with pytest.raises(NotImplementedError, match="give back a new Tensor"):
        InPlace.apply(leaf(1.0) * 1)
    with pytest.raises(TypeError, match="Number: forward gave float"):
        Number.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="static method forward"):
        Function.apply(leaf(1.0))


class SinCos(Function):
    """Two results, which are saved, and their number."""

    @staticmethod
    def forward(ctx, x):
        ctx.both = y, z = x.sin(), x.reshape(-1).cos()
        ctx.save_for_backward(y, z)
        return y, z, 2

    @staticmethod
    def backward(ctx, g, h, nothing):
        assert nothing is None
        y, z = ctx.saved_tensors
        return g * z.view_as(g) - (h * y.reshape(-1)).view_as(g)


class Nearest(Function):
    """The straight-through estimator of a codebook: codes, and which ones (van den Oord et al.
    2017)."""

    @staticmethod
    def forward(ctx, x, codebook):
        index = ((x[:, None] - codebook) ** 2).sum(-1).argmin(1)
        codes, squares = codebook[index], x.square()
        ctx.save_for_backward(index, codebook)
        ctx.mark_non_differentiable(squares)
        return codes, index, squares

    @staticmethod
    def backward(ctx, g, of_index, of_squares):
        index, codebook = ctx.saved_tensors
        assert of_index.dtype == np.int64 and not of_index.any() and not of_squares.any()
        return g, minigan.zeros_like(codebook).index_add_(0, index, g)


def test_several_results():
    x = tensor_of(np.array([[0.5, -1.5], [2.0, 0.3]]), True)
    y, z, n = SinCos.apply(x)
    assert y.shape == (2, 2) and z.shape == (4,) and n == 2 and y.requires_grad and z.requires_grad
    assert np.allclose(y.tolist(), np.sin(x.tolist())) and z[3].item() == np.cos(0.3)
    assert gradcheck(lambda x: SinCos.apply(x)[0] * 3 + SinCos.apply(x)[1].view(2, 2), [x])
    assert gradgradcheck(lambda x: SinCos.apply(x)[0], [x])
    assert gradgradcheck(lambda x: SinCos.apply(x)[1] ** 2, [x])
    (g,) = minigan.grad(z.sum(), x)  # y's gradient is 0
    assert np.allclose(g.tolist(), -np.sin(x.tolist()))
    with minigan.no_grad():
        y, z, n = SinCos.apply(x)
    assert not y.requires_grad and not z.requires_grad


def test_results_without_gradients():
    x, codebook = leaf([0.1, 0.2], [1.1, 0.9]), leaf([0.0, 0.0], [1.0, 1.0], [5.0, 5.0])
    codes, index, squares = Nearest.apply(x * 1, codebook)
    assert codes.tolist() == [[0, 0], [1, 1]] and index.tolist() == [0, 1]
    assert codes.requires_grad and not index.requires_grad and not squares.requires_grad
    codes.pow(2).sum().backward()
    assert x.grad.tolist() == [[0, 0], [2, 2]]
    assert codebook.grad.tolist() == [[0, 0], [2, 2], [0, 0]]


def test_a_context_that_is_set_up_behind_forward():
    class Multiply(Function):
        @staticmethod
        def forward(x, y):
            return x * y, x + y

        @staticmethod
        def setup_context(ctx, inputs, output):
            assert len(output) == 2
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y + h, g * x + h

    x, y = leaf(2.0, 3.0), leaf(5.0, 7.0)
    for i in range(2):
        function = lambda x, y, i=i: Multiply.apply(x, y)[i]
        assert gradcheck(function, [x, y]) and gradgradcheck(function, [x, y])


def test_a_derivative_that_is_the_last():
    class ByHand(Cube):
        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return tensor_of(g.numpy() * 3 * x.numpy() ** 2)

    x = leaf(2.0)
    assert minigan.grad(ByHand.apply(x), x)[0].item() == 12
    (g,) = minigan.grad(ByHand.apply(x), x, create_graph=True)
    assert g.item() == 12
    y = x * 1
    (g,) = minigan.grad(ByHand.apply(y).sin(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="@once_differentiable"):
        minigan.grad(g, x)


@pytest.mark.parametrize("function", [Exp, SinCos])
def test_memory_is_freed_without_the_collector(function):
    gc.disable()
    try:
        y = function.apply(leaf(1.0))
        y = y[0] if isinstance(y, tuple) else y
        node = y.grad_fn
        while node.op.__name__ != function.__name__:
            node = node.edges[0]
        kept = weakref.ref(node)
        del y, node
        assert kept() is None
    finally:
        gc.enable()
