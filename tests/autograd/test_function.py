"""Functions with a backward of one's own, as in PyTorch."""

import gc
import weakref

import numpy as np
import pytest

import minigan
from minigan.autograd import Function, gradcheck, gradgradcheck, tensor_of


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

    class Two(Cube):
        @staticmethod
        def forward(ctx, x):
            return x, x

    with pytest.raises(RuntimeError, match="1 gradients for 2 arguments"):
        Few.apply(leaf(1.0), leaf(2.0)).backward()
    with pytest.raises(RuntimeError, match="None for argument 0"):
        Nothing.apply(leaf(1.0)).backward()
    with pytest.raises(NotImplementedError, match="one resulting Tensor"):
        Two.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="static method forward"):
        Function.apply(leaf(1.0))


def test_memory_is_freed_without_the_collector():
    gc.disable()
    try:
        y = Exp.apply(leaf(1.0))
        kept = weakref.ref(y.grad_fn)
        del y
        assert kept() is None
    finally:
        gc.enable()
