"""Hold gradients against finite differences.

Along a random unit direction v of the inputs and a random cotangent u of the output, the analytic
<u, J v> must equal the central difference (<u, f(x + h v)> - <u, f(x - h v)>) / 2h. Two step sizes
h and h/2 are taken: their Richardson extrapolation is accurate to O(h^4), and where they disagree
the function is not smooth between the points (a kink).

An all-ones cotangent would hide errors (the input gradient of batch normalisation is then 0,
whatever the code does), and coordinate directions would need as many evaluations as there are
elements.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import to_device, to_numpy
from ..engine.backward import grad
from ..engine.grad_mode import enable_grad, is_grad_enabled, no_grad
from ..engine.tensor import Tensor, tensor_of

# With a plain seed, inputs that someone drew from default_rng(0) would meet a cotangent of the very
# same numbers, for which wrong rules can be right (x^T x is its own transpose).
SALT = 0x6D696E69


class GradcheckError(AssertionError):
    """An analytic gradient does not agree with finite differences; the message has both numbers."""


class NonSmoothError(GradcheckError):
    """Two step sizes disagree: there is a kink or jump near the point, no statement about the
    gradient is possible."""


def gradcheck(
    fn: Callable[..., Any], inputs: Any, *, eps: float = 1e-4, atol: float = 1e-7,
    rtol: float = 1e-5, directions: int = 3,
    seed: int = 0, raise_exception: bool = True,
) -> bool:  # fmt: skip
    """True if the gradients of `fn` at `inputs` agree with finite differences; else GradcheckError
    (or False).

    fn : takes the inputs, returns a Tensor or a sequence of them; must be deterministic
    inputs : Tensor or sequence; those that require gradients are checked and must be float64
    eps : the larger step size, absolute, along a unit direction
    directions : random directions tried for each input, and for all inputs together
    raise_exception : False returns False instead of raising GradcheckError
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    rng = np.random.default_rng((SALT, seed))
    checked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("gradcheck: none of the inputs requires a gradient")
    for i in checked:
        if inputs[i].dtype != np.float64:
            raise ValueError(
                f"gradcheck: inputs[{i}] is {inputs[i].dtype}; finite differences need float64: "
                "use .double()"
            )
    outputs = _outputs(fn, inputs)
    cotangents = [rng.standard_normal(y.shape) for y in outputs]
    live = [(y, u) for y, u in zip(outputs, cotangents) if y.requires_grad]
    if not live:
        raise GradcheckError(
            "gradcheck: no output requires a gradient: fn does not record its inputs"
        )
    like = inputs[checked[0]]
    gradients = grad(
        [y for y, _ in live],
        [inputs[i] for i in checked],
        [_on(like, u) for _, u in live],
        allow_unused=True,
    )
    analytic = [
        np.zeros(inputs[i].shape) if g is None else to_numpy(g.array)
        for i, g in zip(checked, gradients)
    ]

    def value(shifts):
        with no_grad():
            moved = [
                _on(x, to_numpy(x.array) + shifts[i]) if i in shifts else x
                for i, x in enumerate(inputs)
            ]
            return sum(
                float((u * to_numpy(y.array)).sum())
                for u, y in zip(cotangents, _outputs(fn, moved))
            )

    try:
        for group in [*[(i,) for i in checked], *([tuple(checked)] if len(checked) > 1 else [])]:
            for _ in range(directions):
                v = {i: _unit(rng, inputs[i].shape) for i in group}
                _compare(
                    value,
                    v,
                    sum(float((analytic[checked.index(i)] * v[i]).sum()) for i in group),
                    group,
                    eps,
                    atol,
                    rtol,
                )
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    fn: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-4,
    atol: float = 1e-6, rtol: float = 1e-4,
    directions: int = 3, seed: int = 0, raise_exception: bool = True,
) -> bool:  # fmt: skip
    """`gradcheck` of the gradient of `fn`: second derivatives with respect to the inputs and to the
    cotangents.

    grad_outputs : the cotangents at which to check (default: random). Other arguments as in
        `gradcheck`.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if grad_outputs is None:
        rng = np.random.default_rng((SALT, seed, 1))
        grad_outputs = [
            _on(inputs[checked[0]], rng.standard_normal(y.shape))
            for y in _outputs(fn, inputs)
            if y.requires_grad
        ]
        for u in grad_outputs:
            u.requires_grad_()
    count = len(inputs)

    def gradient(*arguments):
        x = list(arguments[:count])
        # under no_grad the moved inputs are bare: the inner gradient still has to be recorded
        for i in checked:
            x[i] = x[i] if x[i].requires_grad else tensor_of(x[i].array, True)
        # The differences are those of the plain first-order rules: these and their recorded form
        # are so held against each other.
        recorded = is_grad_enabled()
        with enable_grad():
            outputs = [y for y in _outputs(fn, x) if y.requires_grad]
            found = grad(
                outputs,
                [x[i] for i in checked],
                arguments[count:],
                create_graph=recorded,
                allow_unused=True,
            )
        # A gradient that does not depend on anything any more (of a linear function) is a constant:
        # 0 * x keeps it checkable.
        return [x[i] * 0 if g is None else g for i, g in zip(checked, found)]

    with_graph = gradient(*inputs, *grad_outputs)
    if not any(t.requires_grad for t in (*with_graph, *grad_outputs)):
        return True
    options: dict[str, Any] = dict(
        eps=eps,
        atol=atol,
        rtol=rtol,
        directions=directions,
        seed=seed,
        raise_exception=raise_exception,
    )
    return gradcheck(gradient, (*inputs, *grad_outputs), **options)


def _outputs(fn, inputs):
    y = fn(*inputs)
    return [y] if isinstance(y, Tensor) else list(y)


def _on(like, array):
    # NumPy makes a scalar of a sum of 0-d arrays
    return tensor_of(to_device(np.asarray(array), like.device))


def _unit(rng, shape):
    """A random unit direction without tiny components, so that no element goes unchecked."""
    v = rng.standard_normal(shape)
    v = np.sign(v) * (np.abs(v) + 0.1)
    return v / max(float(np.sqrt((v * v).sum())), 1e-300)


def _compare(value, v, analytic, group, eps, atol, rtol):
    def central(h):
        return (
            value({i: h * d for i, d in v.items()}) - value({i: -h * d for i, d in v.items()})
        ) / (2 * h)

    coarse, fine = central(eps), central(eps / 2)
    numeric = (4 * fine - coarse) / 3
    scale = max(abs(numeric), abs(analytic), 1e-3)
    names = f"input {group[0]}" if len(group) == 1 else f"inputs {group} together"
    if abs(numeric - analytic) <= atol + rtol * scale:
        return
    error = abs(numeric - analytic)
    if not np.isfinite(numeric):
        raise NonSmoothError(
            f"{names}: the function is not finite within {eps:g} of the point: outside its "
            "domain? (try a smaller eps)"
        )

    def bend(h):  # the slope to the right minus the slope to the left
        return (
            abs(
                value({i: h * d for i, d in v.items()})
                - 2 * value({})
                + value({i: -h * d for i, d in v.items()})
            )
            / h
        )

    # A smooth function's two estimates differ by O(h^2), and its bend shrinks with h. At a kink
    # between the two steps the estimates differ as much as the gradient itself does; at a kink
    # closer than both steps the bend stays.
    if abs(coarse - fine) > 0.1 * error or bend(eps / 2) > max(0.1 * error, 0.7 * bend(eps)):
        raise NonSmoothError(
            f"{names}: finite differences disagree ({coarse:.8g} at step {eps:g}, {fine:.8g} at "
            f"{eps / 2:g}): a kink?"
        )
    raise GradcheckError(
        f"{names}: the analytic directional derivative is {analytic:.10g}, finite differences "
        f"give {numeric:.10g}"
    )
