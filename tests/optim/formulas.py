"""The published formulas of the optimisers, one element at a time in float64: what the tests
compare with."""

import math


def run(formula, start, gradients, **options):
    """The values of one scalar parameter after each of the `gradients`."""
    state = {}
    p = float(start)
    path = []
    for t, g in enumerate(gradients, 1):
        p = formula(state, t, p, float(g), **options)
        path.append(p)
    return path


def sgd(
    state, t, p, g, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False
):
    g = -g if maximize else g
    g = g + weight_decay * p
    if momentum:
        state["b"] = g if t == 1 else momentum * state["b"] + (1 - dampening) * g
        g = g + momentum * state["b"] if nesterov else state["b"]
    return p - lr * g


def adam(
    state,
    t,
    p,
    g,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0,
    amsgrad=False,
    maximize=False,
    decoupled=False,
):
    g = -g if maximize else g
    if decoupled:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    m = state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0.0) + (1 - betas[1]) * g * g
    if amsgrad:
        v = state["largest"] = max(state.get("largest", 0.0), v)
    return p - lr * (m / (1 - betas[0] ** t)) / (math.sqrt(v / (1 - betas[1] ** t)) + eps)


def adamw(state, t, p, g, weight_decay=1e-2, **options):
    return adam(state, t, p, g, weight_decay=weight_decay, decoupled=True, **options)


def rmsprop(
    state,
    t,
    p,
    g,
    lr=1e-2,
    alpha=0.99,
    eps=1e-8,
    weight_decay=0,
    momentum=0,
    centered=False,
    maximize=False,
):
    g = -g if maximize else g
    g = g + weight_decay * p
    variance = state["s"] = alpha * state.get("s", 0.0) + (1 - alpha) * g * g
    if centered:
        state["a"] = alpha * state.get("a", 0.0) + (1 - alpha) * g
        variance -= state["a"] ** 2
    step = g / (math.sqrt(variance) + eps)
    if momentum:
        step = state["b"] = momentum * state.get("b", 0.0) + step
    return p - lr * step


def adagrad(
    state,
    t,
    p,
    g,
    lr=1e-2,
    lr_decay=0,
    weight_decay=0,
    initial_accumulator_value=0,
    eps=1e-10,
    maximize=False,
):
    g = -g if maximize else g
    g = g + weight_decay * p
    state["s"] = state.get("s", float(initial_accumulator_value)) + g * g
    return p - lr / (1 + (t - 1) * lr_decay) * g / (math.sqrt(state["s"]) + eps)


def adadelta(state, t, p, g, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    s = state["s"] = rho * state.get("s", 0.0) + (1 - rho) * g * g
    step = math.sqrt(state.get("a", 0.0) + eps) / math.sqrt(s + eps) * g
    state["a"] = rho * state.get("a", 0.0) + (1 - rho) * step * step
    return p - lr * step


def adamax(state, t, p, g, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, maximize=False):
    g = (-g if maximize else g) + weight_decay * p
    m = state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * g
    u = state["u"] = max(betas[1] * state.get("u", 0.0), abs(g) + eps)
    return p - lr / (1 - betas[0] ** t) * m / u


def radam(
    state,
    t,
    p,
    g,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0,
    decoupled_weight_decay=False,
    maximize=False,
):
    g = -g if maximize else g
    if decoupled_weight_decay:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    m = state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0.0) + (1 - betas[1]) * g * g
    first, rest = m / (1 - betas[0] ** t), 1 - betas[1] ** t
    most = 2 / (1 - betas[1]) - 1
    now = most - 2 * t * betas[1] ** t / rest
    if now <= 5:
        return p - lr * first
    rectified = math.sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now))
    return p - lr * first * rectified * math.sqrt(rest) / (math.sqrt(v) + eps)
