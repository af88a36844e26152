"""minigan.distributions against the values of torch.distributions.

`values.json` holds torch's values; `python tests/distributions/test_distributions.py` writes it
anew, where PyTorch is installed.
"""

import json
import math
import pathlib

import numpy as np
import pytest

import minigan
import minigan.distributions

FILE = pathlib.Path(__file__).with_name("values.json")
VALUES = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}

REAL = "torch.tensor([[0.3, 0.9, 2.0], [1.0, 1.1, 1.3]])"
COVARIANCE = "torch.tensor([[2.0, 0.5, 0], [0.5, 1.0, 0.1], [0, 0.1, 0.7]])"
# a distribution, another of its kind (for KL) or None, and values that it can have
KINDS = {
    "Normal": ("D.Normal(L, S)", "D.Normal(S, S + 1)", REAL),
    "Normal of numbers": ("D.Normal(0.5, 2)", "D.Normal(0.0, 1.0)", "torch.tensor(0.7)"),
    "Laplace": ("D.Laplace(L, S)", "D.Laplace(S, S + 1)", REAL),
    "Gumbel": ("D.Gumbel(L, S)", None, REAL),
    "LogNormal": ("D.LogNormal(L, S)", "D.LogNormal(S, S + 1)", REAL),
    "HalfNormal": ("D.HalfNormal(S)", None, REAL),
    "Uniform": ("D.Uniform(L - 1, S + L + 2)", "D.Uniform(L - 2, L + 5.5)",
        "torch.tensor([-1.0, 0.9, 2.0])"),
    "Exponential": ("D.Exponential(S)", "D.Exponential(S + 1)", REAL),
    "Bernoulli": ("D.Bernoulli(torch.tensor([0.2, 0.6, 1.0]))",
        "D.Bernoulli(torch.tensor([0.3, 0.4, 0.9]))", "torch.tensor([1.0, 0, 1])"),
    "Bernoulli of logits": ("D.Bernoulli(logits=L)", "D.Bernoulli(logits=S)",
        "torch.tensor([[1.0, 0, 1], [0, 0, 1]])"),
    "Categorical": (
        "D.Categorical(torch.tensor([[0.2, 0.5, 1.0], [0.0, 1.0, 1.0]]))",
        "D.Categorical(torch.tensor([[0.2, 0.2, 1.0], [1.0, 1.0, 0.5]]))",
        "torch.tensor([[0, 1], [2, 2]])",
    ),
    "Categorical of logits": ("D.Categorical(logits=torch.stack([L, S]))",
        "D.Categorical(logits=torch.stack([S, L]))", "torch.tensor(2)"),
    "OneHotCategorical": ("D.OneHotCategorical(logits=L)", "D.OneHotCategorical(logits=S)",
        "torch.tensor([[0.0, 0, 1], [1, 0, 0]])"),
    "RelaxedBernoulli": ("D.RelaxedBernoulli(torch.tensor([0.3, 1.0, 2.0]), logits=L)", None,
        "torch.tensor([[0.1, 0.5, 0.9], [0.0, 1.0, 0.01]])"),
    "RelaxedBernoulli of probs": (
        "D.RelaxedBernoulli(torch.tensor(0.5), torch.tensor([0.2, 0.9]))", None,
        "torch.tensor([0.25, 0.75])"),
    "RelaxedOneHotCategorical": (
        "D.RelaxedOneHotCategorical(torch.tensor(0.7), logits=torch.stack([L, S]))", None,
        "torch.tensor([[0.2, 0.3, 0.5], [0.98, 0.01, 0.01]])"),
    "RelaxedOneHotCategorical of probs": (
        "D.RelaxedOneHotCategorical(torch.tensor([2.0]), torch.tensor([0.2, 0.5, 0.3]))", None,
        "torch.tensor([0.2, 0.3, 0.5])"),
    "MultivariateNormal": (
        f"D.MultivariateNormal(L, {COVARIANCE})",
        "D.MultivariateNormal(S, scale_tril=torch.eye(3) * S)", REAL,
    ),
    "MultivariateNormal of its precision": ("D.MultivariateNormal(L, "
                                            f"precision_matrix={COVARIANCE})", None, REAL),
    "Independent": ("D.Independent(D.Normal(L, S), 1)", "D.Independent(D.Normal(S, S), 1)", REAL),
    "mixture": ("D.MixtureSameFamily(D.Categorical(torch.tensor([0.2, 0.3, 0.5])), D.Normal(L, S))",
        None, "torch.tensor([0.0, 0.4])"),
    "mixture of points": (
        "D.MixtureSameFamily(D.Categorical(torch.tensor([0.2, 0.3])), "
        "D.Independent(D.Normal(torch.tensor([[0.0, 1], [2, 3]]), "
        "torch.tensor([[0.5, 1], [1, 2]])), 1))", None, "torch.tensor([[0.0, 0.4], [1, 0]])",
    ),
}  # fmt: skip
ASKED = [
    "d.log_prob(v)", "d.mean", "d.variance", "d.stddev", "d.mode", "d.entropy()", "d.perplexity()",
    "d.cdf(v)",
    "d.icdf(torch.tensor([0.1, 0.5, 0.9]))", "D.kl_divergence(d, q)", "list(d.batch_shape)",
    "list(d.event_shape)",
    "list(d.sample((4, 2)).shape)", "str(d.sample().dtype).replace('torch.', '')", "d.has_rsample",
    "list(d.rsample((2,)).shape)",
]  # fmt: skip
CASES = [(kind, question) for kind in KINDS for question in ASKED]


def answer(kind, question, torch):
    """A number, nested lists of numbers with "nan" and "inf", or None if the distribution cannot
    say."""

    def plain(x):
        if isinstance(x, list):
            return [plain(v) for v in x]
        return str(x) if isinstance(x, float) and not math.isfinite(x) else x

    L, S = torch.tensor([-1.0, 0.5, 2.0]), torch.tensor([0.5, 1.0, 3.0])
    names = {"torch": torch, "D": torch.distributions, "L": L, "S": S}
    made, other, value = KINDS[kind]
    names |= {"d": eval(made, names), "v": eval(value, names), "q": other and eval(other, names)}
    try:
        found = eval(question, names)
    except (NotImplementedError, AttributeError):
        return None
    return plain(found.tolist() if isinstance(found, torch.Tensor) else found)


def close(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    return a == b or (
        isinstance(a, float)
        and isinstance(b, float)
        and math.isclose(a, b, rel_tol=2e-5, abs_tol=1e-6)
    )


@pytest.mark.parametrize("kind, question", CASES)
def test_as_torch(kind, question):
    found = answer(kind, question, minigan)
    assert close(found, VALUES[f"{kind}: {question}"]), (
        f"{found} where PyTorch gives {VALUES[f'{kind}: {question}']}"
    )


@pytest.mark.torch
def test_the_values_are_those_of_torch():
    torch = pytest.importorskip("torch")
    assert all(close(answer(*case, torch), VALUES["{}: {}".format(*case)]) for case in CASES)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("Relaxed")])
def test_draws_have_the_moments(kind):
    """20,000 draws: mean and standard deviation within 5 standard errors (the deviation's taken
    from the draws)."""
    minigan.manual_seed(0)
    names = {
        "torch": minigan,
        "D": minigan.distributions,
        "L": minigan.tensor([-1.0, 0.5, 2.0]),
        "S": minigan.tensor([0.1, 0.5, 0.6]),
    }
    d = eval(KINDS[kind][0], names)
    draws = d.sample((20000,)).numpy().astype(np.float64)
    if "Categorical" in kind and "OneHot" not in kind:
        shares = np.stack([(draws == k).mean(0) for k in range(3)], -1)
        np.testing.assert_allclose(shares, d.probs.numpy(), atol=0.02)
        return
    assert np.isfinite(draws).all()
    error = draws.std(0) / math.sqrt(len(draws)) + 1e-6
    assert (np.abs(draws.mean(0) - d.mean.numpy()) < 5 * error).all()
    fourth = ((draws - draws.mean(0)) ** 4).mean(0)
    assert (
        np.abs(draws.var(0) - d.variance.numpy()) < 5 * np.sqrt(fourth / len(draws)) + 1e-6
    ).all()


def test_what_has_a_gradient():
    mean, scale = (
        minigan.tensor([1.0, 2.0]).requires_grad_(),
        minigan.tensor([1.0, 3.0]).requires_grad_(),
    )
    d = minigan.distributions.Normal(mean, scale)
    assert not d.sample().requires_grad
    x = d.rsample((5,))
    x.sum().backward()
    np.testing.assert_allclose(mean.grad.numpy(), [5, 5])
    np.testing.assert_allclose(
        scale.grad.numpy(), ((x - mean) / scale).sum(0).detach().numpy(), rtol=1e-5
    )
    mean.grad = scale.grad = None
    prior = minigan.distributions.Normal(minigan.zeros(2), minigan.ones(2))
    minigan.distributions.kl_divergence(d, prior).sum().backward()
    np.testing.assert_allclose(mean.grad.numpy(), [1, 2], rtol=1e-6)  # torch's
    np.testing.assert_allclose(scale.grad.numpy(), [0, 3 - 1 / 3], rtol=1e-6)
    logits = minigan.tensor([[0.5, 0.1, -1.0]]).requires_grad_()
    row = minigan.distributions.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert row.sum().item() == pytest.approx(1) and sorted(row.round().tolist()[0]) == [0, 0, 1]
    (row * minigan.tensor([1.0, 2.0, 3.0])).sum().backward()
    # torch's
    np.testing.assert_allclose(logits.grad.numpy(), [[-0.3114, 0.1453, 0.1662]], atol=1e-4)


def test_relaxed_draws_are_near_discrete_ones():
    """At a low temperature they are; which one is the largest has the probability of the discrete
    distribution at every temperature."""
    minigan.manual_seed(0)
    D = minigan.distributions
    logits = minigan.tensor([0.5, 0.1, -1.0]).requires_grad_()
    for temperature in (0.05, 2.0):
        d = D.RelaxedOneHotCategorical(temperature, logits=logits)
        draws = d.rsample((20000,))
        assert (draws.sum(-1) - 1).abs().max().item() < 1e-5
        shares = [(draws.argmax(-1) == k).float().mean().item() for k in range(3)]
        np.testing.assert_allclose(shares, d.probs.detach().numpy(), atol=0.02)
        near = (draws.max(-1)[0] > 0.95).float().mean().item()
        assert near > 0.85 if temperature < 1 else near < 0.1
    assert not d.sample().requires_grad and d.has_rsample
    (g,) = minigan.grad(D.RelaxedOneHotCategorical(0.5, logits=logits).rsample()[0], logits)
    assert g.abs().sum().item() > 0
    d = D.RelaxedBernoulli(0.05, probs=0.3)
    draws = d.rsample((20000,))
    assert abs((draws > 0.5).float().mean().item() - 0.3) < 0.02
    assert ((draws > 0.95) | (draws < 0.05)).float().mean().item() > 0.8
    with pytest.raises(NotImplementedError):
        D.kl_divergence(d, d)
    with pytest.raises(ValueError, match="outside of the distribution's support"):
        d.log_prob(minigan.tensor(1.5))


@pytest.mark.parametrize(
    "bad",
    [
        lambda D: D.Normal(0.0, -1.0), lambda D: D.Bernoulli(2.0), lambda D: D.Bernoulli(),
        lambda D: D.Uniform(1.0, 0.0),
        lambda D: D.Bernoulli(0.5, 0.5), lambda D: D.Uniform(0.0,
            1.0).log_prob(minigan.tensor(2.0)),
        lambda D: D.Exponential(1.0).log_prob(minigan.tensor(-1.0)),
        lambda D: D.Categorical(minigan.tensor(1.0)),
        lambda D: D.Categorical(minigan.tensor([0.5, 0.5])).log_prob(minigan.tensor(2)),
        lambda D: D.Normal(0.0, 1.0).log_prob(3.0), lambda D: D.Independent(D.Normal(0.0, 1.0), 1),
        lambda D: D.MultivariateNormal(minigan.zeros(2)),
    ],
)  # fmt: skip
def test_errors_are_of_torchs_kind(bad):
    with pytest.raises(ValueError):
        bad(minigan.distributions)


def test_checks_can_be_left_out():
    assert minigan.distributions.Normal(0.0, -1.0, validate_args=False).loc.item() == 0
    with pytest.raises(NotImplementedError, match="Normal and q type Bernoulli"):
        minigan.distributions.kl_divergence(
            minigan.distributions.Normal(0.0, 1.0), minigan.distributions.Bernoulli(0.5)
        )
    from minigan.distributions.normal import Normal

    assert Normal is minigan.distributions.Normal
    assert str(Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"


if __name__ == "__main__":
    import torch

    lines = [
        f"{json.dumps('{}: {}'.format(*case))}: {json.dumps(answer(*case, torch))}"
        for case in CASES
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
