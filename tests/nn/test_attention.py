"""Attention and Transformers: torch's values for weights that are sines, and against torch itself
where it is installed.
"""

import numpy as np
import pytest

import minigan
from minigan import nn
from minigan.nn import functional as F


def waves(module, torch=minigan):
    """Parameters that are sines of 1, 2, 3, ..., each of a phase of its own."""
    for i, p in enumerate(module.parameters()):
        p.data.copy_(torch.sin(torch.arange(p.numel()).float() + i).view(p.shape) * 0.5)
    return module.eval()


def sequence(length, torch=minigan):
    return torch.cos(torch.arange(length * 2 * 4).float()).view(length, 2, 4)


def values(torch, nn):
    """What torch gives, in the order of EXPECTED."""
    x, y = sequence(3, torch), sequence(2, torch)
    later = torch.triu(torch.ones(3, 3), 1) > 0
    gone = torch.tensor([[False, False, True], [False, True, False]])
    attend = waves(nn.MultiheadAttention(4, 2), torch)
    found = [
        *attend(x, x, x, key_padding_mask=gone),
        attend(y, x, x, average_attn_weights=False)[1],
    ]
    found += [attend(x, x, x, attn_mask=later, need_weights=False)[0]]
    first = waves(
        nn.MultiheadAttention(
            4, 4, batch_first=True, bias=False, add_zero_attn=True, add_bias_kv=True
        ),
        torch,
    )
    found += first(x, x, x)
    other = waves(nn.MultiheadAttention(4, 1, kdim=3, vdim=2), torch)
    found += [other(x, x[..., :3], x[..., :2])[0]]
    found += [waves(nn.TransformerEncoderLayer(4, 2, 3), torch)(x, src_key_padding_mask=gone)]
    found += [
        waves(
            nn.TransformerEncoderLayer(
                4, 2, 3, activation="gelu", norm_first=True, batch_first=True
            ),
            torch,
        )(x)
    ]
    found += [waves(nn.TransformerDecoderLayer(4, 2, 3), torch)(y, x, tgt_mask=later[:2, :2])]
    found += [waves(nn.Transformer(4, 2, 1, 2, 3), torch)(x, y)]
    found = [f.detach().double() for f in found]
    firsts = [[round(float(v), 5) for v in f[0, 0].reshape(-1)[:4]] for f in found]
    return [round(float(f.abs().sum()), 5) for f in found] + firsts


# sums of absolute values, then the first numbers
EXPECTED: list = [
    9.27086,
    6.0,
    8.0,
    10.44227,
    2.83649,
    6.0,
    13.39604,
    10.21941,
    19.67507,
    6.31178,
    5.32554,
    [0.33017, -0.63748, -0.40038, 0.01599],
    [0.33361, 0.66639, 0.0],
    [0.18572, 0.41093, 0.40335, 0.70048],
    [0.3242, -0.8276, -0.14587, -0.12661],
    [0.23156, 0.04667, -0.29257, 0.3358],
    [0.14032, 0.41016, 0.22227, 0.22725],
    [0.10553, -0.82681, 0.64174, 0.77228],
    [-0.96511, -0.10615, 0.37611, 0.33421],
    [1.98934, 0.0483, -0.29516, -1.5023],
    [-0.40202, -0.25389, 0.40843, 0.58295],
    [0.52798, 0.45618, 0.32306, -0.01662],
]


def close(found, expected):
    np.testing.assert_allclose(np.hstack(found), np.hstack(expected), atol=3e-5)


def test_as_torch():
    close(values(minigan, nn), EXPECTED)


@pytest.mark.torch
def test_expected_values_are_those_of_torch():
    torch = pytest.importorskip("torch")
    close(values(torch, torch.nn), EXPECTED)


def test_a_query_alone():
    attend = waves(nn.MultiheadAttention(4, 2))
    x = sequence(3)
    whole, weights = attend(x, x, x)
    one, w = attend(x[:, 1], x[:, 1], x[:, 1])
    np.testing.assert_allclose(one.detach().numpy(), whole[:, 1].detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(w.detach().numpy(), weights[1].detach().numpy(), atol=1e-6)


def test_dropout_of_weights():
    minigan.manual_seed(0)
    v = minigan.eye(50)
    weights = F.scaled_dot_product_attention(
        minigan.zeros(1, 200, 8), minigan.zeros(1, 50, 8), v[None], dropout_p=0.5
    )
    share = (weights == 0).float().mean().item()
    assert abs(share - 0.5) < 0.03
    np.testing.assert_allclose(weights[weights != 0].numpy(), 2 / 50, rtol=1e-5)


def test_layers_in_training_drop_and_have_all_gradients():
    minigan.manual_seed(0)
    model = nn.Transformer(4, 2, 1, 1, 8)
    x = sequence(3)
    a, b = model(x, x), model(x, x)
    assert not minigan.allclose(a, b)
    (a**2).sum().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.MultiheadAttention(5, 2),
            "embed_dim=5 must be a positive multiple of num_heads=2",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(*[minigan.ones(2, 1, 3)] * 3),
            "query has 3 numbers, not 4",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                *[minigan.ones(2, 2)] * 3, minigan.ones(2, 2), is_causal=True
            ),
            "not both",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
