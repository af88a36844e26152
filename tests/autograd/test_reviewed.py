"""Faults that a review found, each with the smallest program that showed it."""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.autograd import tensor_of
from minigan.gan import GAN, NonSaturating, Trainer
from minigan.optim import SGD


def leaf(*values, dtype=np.float32):
    return tensor_of(np.array(values, dtype), True)


@pytest.mark.parametrize("length", [1, 5])
def test_a_bias_of_another_length_is_refused(length):
    layer = nn.Linear(3, 6)
    layer.bias = nn.Parameter(minigan.ones(length))
    for run in (layer, nn.Sequential(layer, nn.LeakyReLU(0.2)), nn.Sequential(layer, nn.Tanh())):
        with pytest.raises(RuntimeError, match="bias has shape"):
            run(minigan.ones(2, 3))


def test_where_keeps_floats_their_dtype_and_their_gradient():
    mask, w = minigan.tensor([True, False]), leaf(0.5, 1.75)
    y = minigan.where(mask, minigan.tensor([1, 2]), w)
    assert y.dtype == np.float32 and y.tolist() == [1.0, 1.75]
    y.sum().backward()
    assert w.grad.tolist() == [0.0, 1.0]
    assert (
        minigan.where(mask, 1.0, -1.0).dtype == np.float32
        and w.detach().masked_fill(mask, np.array(0.0)).dtype == np.float32
    )
    with pytest.raises(RuntimeError, match="different dtypes"):
        minigan.where(mask, w, leaf(1.0, 2.0, dtype=np.float64))


def test_a_tuple_inside_an_index_counts_repeated_rows():
    x = tensor_of(np.zeros((2, 3)), True)
    x[(0, 0, 1), :].sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[2, 2, 2], [1, 1, 1]])


def test_recorded_gradients_of_leaves_are_their_own_and_can_be_differentiated():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    ((a + b) * 2).sum().backward(create_graph=True)
    assert a.grad is not b.grad and not np.shares_memory(a.grad.array, b.grad.array)
    x = leaf(2.0)
    (x**3).sum().backward(create_graph=True)  # 3 x^2 = 12
    (x.grad**2).sum().backward()  # + d(9 x^4)/dx = 36 x^3 = 288
    assert x.grad.item() == 300.0


def test_a_write_does_not_lose_the_gradient_of_its_source():
    w, buffer = leaf(1.0, 2.0), minigan.zeros(2)
    buffer[0] = w[0] * 3
    buffer.add_(w)
    buffer.sum().backward()
    assert buffer.tolist() == [4.0, 2.0] and w.grad.tolist() == [4.0, 1.0]


def test_batch_norm_of_another_dtype_does_not_forget_its_statistics():
    with pytest.raises(ValueError, match="double"):
        nn.BatchNorm1d(2, affine=False)(tensor_of(np.ones((3, 2))))


def test_a_sequential_with_its_own_forward_is_not_taken_for_per_example():
    class Mixing(nn.Sequential):
        def forward(self, x):
            x = super().forward(x)
            return x - x.mean()

    assert nn.Sequential(nn.Linear(2, 2)).per_example and not Mixing(nn.Linear(2, 2)).per_example


def test_fused_layers_are_the_layers():
    x = tensor_of(np.array([[-np.inf, 1.0]], np.float32))
    layer = nn.Linear(2, 2)
    with minigan.no_grad():
        layer.weight.copy_(np.ones((2, 2)))
        layer.bias.zero_()
    assert nn.Sequential(layer, nn.ReLU())(x).tolist() == [[0.0, 0.0]]  # 0 * -inf would be NaN
    layer.forward = lambda x: x * 0 + 7
    assert nn.Sequential(layer, nn.Tanh())(minigan.ones(1, 2)).tolist() == [
        [pytest.approx(np.tanh(7))] * 2
    ]


def test_relu_behind_batch_normalisation_is_relu():
    norm = nn.BatchNorm1d(2)
    both = nn.Sequential(norm, nn.ReLU())
    x = tensor_of(np.array([[-np.inf, 1.0], [2.0, np.nan], [-3.0, -1.0]], np.float32))
    with minigan.no_grad():
        both.eval()
        np.testing.assert_array_equal(both(x).numpy(), nn.ReLU()(norm(x)).numpy())
        assert both(x).numpy()[0, 0] == 0 and np.isnan(both(x).numpy()[1, 1])
        both.train()
        x = minigan.randn(50, 2)
        fused = both(x).numpy()
        np.testing.assert_array_equal(fused, nn.ReLU()(norm(x)).numpy())
        assert not np.signbit(fused).any() and (fused == 0).any()


def test_scalars_cannot_be_joined():
    with pytest.raises(RuntimeError, match="cat"):
        minigan.cat([minigan.tensor(1.0), minigan.tensor(2.0)])


def test_set_grad_enabled_as_a_call():
    x = leaf(1.0)
    try:
        minigan.set_grad_enabled(False)
        assert not (x * 2).requires_grad
    finally:
        minigan.set_grad_enabled(True)
    assert (x * 2).requires_grad

    @minigan.set_grad_enabled(False)
    def double(x):
        return x * 2

    assert minigan.is_grad_enabled() and not double(x).requires_grad and minigan.is_grad_enabled()


def test_frozen_parameters_stay_and_the_rest_moves():
    G, D = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)), nn.Linear(2, 1)
    G[0].weight.requires_grad_(False)
    frozen, free = G[0].weight.detach().numpy().copy(), G[2].weight.detach().numpy().copy()
    Trainer(
        GAN(G, D, NonSaturating(), 2),
        {"G": SGD(G.parameters(), 0.1), "D": SGD(D.parameters(), 0.1)},
    ).play(minigan.ones(4, 2))
    assert (G[0].weight.detach().numpy() == frozen).all() and (
        G[2].weight.detach().numpy() != free
    ).any()


def test_backward_to_an_inner_tensor_is_refused():
    x = leaf(1.0)
    h = x * 2
    with pytest.raises(ValueError, match="only leaves"):
        (h * 3).sum().backward(inputs=[h])


def test_half_precision_runs_without_kernels():
    x = tensor_of(np.array([[-1.0, 2.0], [0.5, 1.0]], np.float16), True)
    y = nn.functional.leaky_relu(minigan.tanh(x), 0.2).sum()
    y.backward()
    assert y.dtype == np.float16 and x.grad.dtype == np.float16
