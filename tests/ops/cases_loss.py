"""Cases: losses, from their formulas for one element."""

import math

import numpy as np
from hypothesis import strategies as st
from ops.case import Case, fill, function_named, one, scalar, seeds, shapes

reduction = st.sampled_from(["mean", "sum", "none"])
sign = st.sampled_from([1, -1])


def reduce(values, how):
    return {"none": values, "sum": np.sum(values), "mean": np.sum(values) / np.size(values)}[how]


def elementwise(formula):
    """Reference of a loss: the formula for each element, then the reduction."""
    return lambda x, t, how, *options: reduce(
        scalar(lambda a, b: formula(a, b, *options))(x, t), how
    )


@st.composite
def pairs(draw, away=(0.0,), options=(), **ranges):
    """An input and a target of one shape, whose difference keeps off the points `away`; a
    reduction; options."""
    shape = draw(shapes())
    x = fill(draw(seeds), shape)
    return (
        x,
        x - fill(draw(seeds), shape, -3, 3, away),
        draw(reduction),
        *[draw(o) for o in options],
    )


@st.composite
def probabilities(draw, weight=False):
    shape = draw(shapes())
    x, t = (fill(draw(seeds), shape, 0.05, 0.95) for _ in range(2))
    return (
        (x, t, fill(draw(seeds), shape[-1:], 0.1, 2.0), draw(reduction))
        if weight
        else (x, t, draw(reduction))
    )


@st.composite
def logits(draw, weight=False, size=3.0):
    x, t, *rest = draw(probabilities(weight))
    return (fill(draw(seeds), x.shape, -size, size), t, *rest)


@st.composite
def signs(draw, away=()):
    """An input and targets 1 and -1."""
    shape = draw(shapes())
    return (
        fill(draw(seeds), shape, away=away),
        np.asarray(np.where(fill(draw(seeds), shape) > 0, 1.0, -1.0)),
        draw(reduction),
    )


@st.composite
def classes(draw, weight=False, ignored=False):
    """Scores (N, C), (C,) or (N, C, d) and class numbers; some of them -100 (ignored)."""
    shape = draw(st.sampled_from([(3,), (2, 3), (4, 2), (2, 3, 2), (1, 4), (2, 2, 1, 3)]))
    dim = 0 if len(shape) == 1 else 1
    rng = np.random.default_rng(draw(seeds))
    targets = np.asarray(rng.integers(0, shape[dim], shape[:dim] + shape[dim + 1 :]))
    if ignored:
        targets = np.asarray(np.where(rng.random(targets.shape) < 0.4, -100, targets))
        targets.flat[0] = 0  # the mean over nothing is not a number
    x = fill(draw(seeds), shape, -2, 2)
    return (
        (x, targets, fill(draw(seeds), (shape[dim],), 0.2, 2.0), draw(reduction))
        if weight
        else (x, targets, draw(reduction))
    )


def nll(x, targets, weight, how, smoothing=0.0):
    """Sample by sample: -weight[t] x[t]; the mean is over the weights."""
    if x.ndim == 1:
        x, targets = x[None], targets.reshape(1)
        shape = ()
    else:
        shape = targets.shape
    count = x.shape[1]
    weight = np.ones(count) if weight is None else weight
    losses, total = np.zeros(targets.shape), 0.0
    for place in np.ndindex(targets.shape):
        scores = [x[(place[0], c, *place[1:])] for c in range(count)]
        t = targets[place]
        if t == -100:
            continue
        losses[place] = -(1 - smoothing) * weight[t] * scores[t] - smoothing / count * sum(
            w * s for w, s in zip(weight, scores)
        )
        total += weight[t]
    return (
        losses.sum() / total
        if how == "mean"
        else losses.sum()
        if how == "sum"
        else losses.reshape(shape)
    )


def log_softmax(x):
    dim = 0 if x.ndim == 1 else 1
    e = np.exp(x)
    return np.log(e / e.sum(dim, keepdims=True))


@st.composite
def soft_targets(draw):
    x = draw(classes())[0]
    t = fill(draw(seeds), x.shape, 0.05, 1.0)
    return x, t / t.sum(0 if x.ndim == 1 else 1, keepdims=True), draw(reduction)


def soft_cross_entropy(x, t, how):
    losses = -(t * log_softmax(x)).sum(0 if x.ndim == 1 else 1)
    return reduce(losses, how)


@st.composite
def divergences(draw, log_target):
    shape = draw(shapes(1))
    x, t = fill(draw(seeds), shape, -3, 0), fill(draw(seeds), shape, 0.1, 1.0)
    return (
        x,
        np.log(t) if log_target else t,
        draw(st.sampled_from(["mean", "sum", "none", "batchmean"])),
        log_target,
    )


def kl_div(x, t, how, log_target):
    t = np.exp(t) if log_target else t
    values = scalar(lambda a, b: b * (math.log(b) - a))(x, t)
    return values.sum() / len(x) if how == "batchmean" else reduce(values, how)


def bce(x, t):
    return -(t * math.log(x) + (1 - t) * math.log(1 - x))


def bce_logits(x, t):
    return max(x, 0) - x * t + math.log1p(math.exp(-abs(x)))


def smooth_l1(x, t, beta=1.0):
    d = abs(x - t)
    return 0.5 * d * d / beta if d < beta else d - 0.5 * beta


def huber(x, t, delta=1.0):
    d = abs(x - t)
    return 0.5 * d * d if d <= delta else delta * (d - 0.5 * delta)


def call(name, *order):
    """The loss with its arguments by name."""
    return lambda *args: function_named(name)(*args[:2], **dict(zip(order, args[2:])))


def weighted(formula):
    return lambda x, t, w, how: reduce(scalar(formula)(x, t) * w, how)


WEIGHTED, BY_CLASS = ("weight", "reduction"), dict(op="gather", constant=(2,), bare=False)

CASES = [
    Case("mse_loss", pairs(()), elementwise(lambda x, t: (x - t) ** 2)),
    Case("l1_loss", pairs(), elementwise(lambda x, t: abs(x - t)), op="abs"),
    Case("smooth_l1_loss", pairs((0.0, 1.0, -1.0)), elementwise(smooth_l1), op="abs"),
    Case("smooth_l1_loss:beta", pairs((0.0, 0.5, -0.5), (st.just(0.5),)), elementwise(smooth_l1),
        op="abs"),
    Case("huber_loss", pairs((0.0, 1.0, -1.0)), elementwise(huber), op="abs"),
    Case("huber_loss:delta", pairs((0.0, 0.5, -0.5), (st.just(0.5),)), elementwise(huber),
        op="abs"),
    Case("binary_cross_entropy", probabilities(), elementwise(bce),
        call=call("binary_cross_entropy", "reduction"), op="bce",
         card_args=lambda *a: a, tolerance=1e-4),
    Case("binary_cross_entropy:weight", probabilities(True), weighted(bce),
        call=call("binary_cross_entropy", *WEIGHTED), op="bce",
         constant=(2,), tolerance=1e-4),
    Case("binary_cross_entropy_with_logits", logits(), elementwise(bce_logits),
        call=call("binary_cross_entropy_with_logits", "reduction"),
         op="bce_logits", card_args=lambda *a: a),
    Case("binary_cross_entropy_with_logits:large", logits(size=700.0), elementwise(bce_logits),
         call=call("binary_cross_entropy_with_logits", "reduction"), op="bce_logits",
         card_args=lambda *a: a, orders=0),
    Case("binary_cross_entropy_with_logits:weight", logits(True), weighted(bce_logits),
         call=call("binary_cross_entropy_with_logits", *WEIGHTED), op="bce_logits", constant=(2,)),
    Case("binary_cross_entropy_with_logits:pos_weight", logits(True),
         lambda x, t, p, how: reduce(scalar(lambda a, b,
                 q: (1 - b) * a + (1 + (q - 1) * b) * math.log1p(math.exp(-a)))(x, t, p), how),
         call=call("binary_cross_entropy_with_logits", "pos_weight", "reduction"), op=None,
         constant=(2,), bare=False),
    Case("mean_logsigmoid", one(sign, low=-5.0, high=5.0), lambda x,
        s: np.mean(scalar(lambda v: -math.log1p(math.exp(-s * v)))(x))),
    Case("mean_logsigmoid:large", one(sign, low=-600.0, high=600.0),
         lambda x, s: np.mean(scalar(lambda v: min(s * v, 0) - math.log1p(math.exp(-abs(v))))(x)),
         orders=0),
    Case("nll_loss", classes(ignored=True), lambda x, t, how: nll(x, t, None, how),
        call=call("nll_loss", "reduction"),
         op="gather", bare=False),
    Case("nll_loss:weight", classes(True, True), nll, call=call("nll_loss", *WEIGHTED), **BY_CLASS),
    Case("cross_entropy", classes(ignored=True), lambda x, t,
        how: nll(log_softmax(x), t, None, how),
         call=call("cross_entropy", "reduction"), op="log_softmax", bare=False),
    Case("cross_entropy:weight", classes(True, True), lambda x, *a: nll(log_softmax(x), *a),
         call=call("cross_entropy", *WEIGHTED), **BY_CLASS),
    Case("cross_entropy:label smoothing", classes(True, True), lambda x,
        *a: nll(log_softmax(x), *a, 0.2),
         call=lambda x, t, w, how: function_named("cross_entropy")(x, t, w, reduction=how,
             label_smoothing=0.2), **BY_CLASS),
    Case("cross_entropy:probabilities", soft_targets(), soft_cross_entropy,
        call=call("cross_entropy", "reduction"),
         op="log_softmax", bare=False),
    Case("kl_div", divergences(False), kl_div, op=None, bare=False),
    Case("kl_div:log target", divergences(True), kl_div, op=None, bare=False),
    Case("hinge_embedding_loss", signs((1.0,)), elementwise(lambda x, t: x if t == 1 else max(0.0,
                1 - x)), constant=(1,),
         op=None, bare=False, call=call("hinge_embedding_loss", "reduction")),
    Case("margin_ranking_loss", st.tuples(pairs((0.3, -0.3)), st.integers(0,
                1)).map(lambda a: (*a[0], 2.0 * a[1] - 1)),
         elementwise(lambda x, y, s: max(0.0, 0.3 - s * (x - y))), op=None, bare=False,
         call=lambda x, y, how, s: function_named("margin_ranking_loss")(x, y, x * 0 + s, 0.3,
             how)),
    Case("soft_margin_loss", signs(), elementwise(lambda x, t: math.log1p(math.exp(-t * x))),
        constant=(1,), op="logsigmoid", bare=False),
]  # fmt: skip
