"""Initial values of parameters, under torch.nn.init's names. Each fills a Tensor in place and
returns it.

Numbers come from minigan's default generator (`manual_seed`) unless `generator` is another. fan_in
and fan_out of a weight (out, in, ...) are its numbers of inputs and outputs per unit, each times
the product of the sizes after the first two.
"""

import math

import numpy as np

from ..arrays import array_module, default_generator, to_device
from ..autograd import no_grad

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_",
    "normal_", "ones_", "orthogonal_",
    "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip


def _fill(tensor, values):
    with no_grad():
        return tensor.copy_(values)


def _uniform(tensor, generator):
    return (generator or default_generator).uniform(
        tuple(tensor.shape), tensor.dtype, tensor.device
    )


def _normal(tensor, generator):
    return (generator or default_generator).normal(tuple(tensor.shape), tensor.dtype, tensor.device)


def _fans(name, tensor):
    if tensor.ndim < 2:
        raise ValueError(
            f"{name}: fan_in and fan_out need a tensor of at least 2 dimensions, got shape "
            f"{tuple(tensor.shape)}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity, param=None):
    """The factor that keeps the variance of signals through a nonlinearity; `param` is leaky_relu's
    slope (default 0.01)."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    gains = {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
    gains.update({f"conv{t}{n}d": 1 for t in ("", "_transpose") for n in (1, 2, 3)})
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain: nonlinearity={nonlinearity!r}; expected one of leaky_relu, "
            f"{', '.join(gains)}"
        )
    return gains[nonlinearity]


def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """U(a, b)."""
    return _fill(tensor, _uniform(tensor, generator) * (b - a) + a)


def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """N(mean, std^2)."""
    return _fill(tensor, _normal(tensor, generator) * std + mean)


def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """N(mean, std^2) given that the value lies in [a, b], by inverting the distribution function
    (in float64)."""
    if not a < b or std <= 0:
        raise ValueError(f"trunc_normal_: expected a < b and std > 0, got a={a}, b={b}, std={std}")
    from statistics import NormalDist

    normal = NormalDist()
    low, high = (normal.cdf((limit - mean) / std) for limit in (a, b))
    u = (generator or default_generator).uniform((tensor.numel(),), np.float64) * (high - low) + low
    u = np.clip(u, 1e-300, 1 - 2**-53)  # where the inverse is defined
    z = np.fromiter(map(normal.inv_cdf, u.tolist()), np.float64, u.size).reshape(tensor.shape)
    return _fill(tensor, to_device(np.clip(z * std + mean, a, b), tensor.device))


def constant_(tensor, val):
    """`val` everywhere."""
    return _fill(tensor, val)


def ones_(tensor):
    """1 everywhere."""
    return _fill(tensor, 1)


def zeros_(tensor):
    """0 everywhere."""
    return _fill(tensor, 0)


def eye_(tensor):
    """The identity matrix, as far as a (rows, columns) tensor can hold it."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: expected 2 dimensions, got shape {tuple(tensor.shape)}")
    return _fill(tensor, array_module(tensor.array).eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor, groups=1):
    """Convolution weights (out, in, k, ...) that pass their input on, in each of `groups`, as far
    as there are channels."""
    if not 3 <= tensor.ndim <= 5 or tensor.shape[0] % groups:
        raise ValueError(
            f"dirac_: expected 3 to 5 dimensions, the first divisible by groups={groups}, got "
            f"shape {tuple(tensor.shape)}"
        )
    values, out = np.zeros(tensor.shape), tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    for g in range(groups):
        for i in range(min(out, tensor.shape[1])):
            values[(g * out + i, i, *centre)] = 1
    return _fill(tensor, to_device(values, tensor.device))


def xavier_uniform_(tensor, gain=1.0, generator=None):
    """U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010."""
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor, gain=1.0, generator=None):
    """N(0, s^2), s = gain sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010."""
    return normal_(
        tensor, 0.0, gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor))), generator
    )


def _kaiming_std(name, tensor, a, mode, nonlinearity):
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode={mode!r}; expected 'fan_in' or 'fan_out'")
    fan = _fans(name, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """U(-b, b), b = gain sqrt(3 / fan). He et al. 2015.

    a : the slope of the leaky_relu that follows;  mode : which fan, "fan_in" or "fan_out"
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """N(0, s^2), s = gain / sqrt(fan). He et al. 2015. Arguments as for kaiming_uniform_."""
    return normal_(
        tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator
    )


def orthogonal_(tensor, gain=1.0, generator=None):
    """A random (semi-)orthogonal matrix times `gain`; dimensions after the first count as columns.
    Saxe et al. 2013.

    The Q of a QR decomposition of normal numbers, with the signs of R's diagonal, which makes it
    uniform (Mezzadri 2006).
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"orthogonal_: expected at least 2 dimensions, got shape {tuple(tensor.shape)}"
        )
    rows, columns = tensor.shape[0], tensor.numel() // max(tensor.shape[0], 1)
    if not rows * columns:
        return tensor
    normal = (generator or default_generator).normal(
        (max(rows, columns), min(rows, columns)), np.float64
    )
    q, r = np.linalg.qr(normal)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    q = q if rows >= columns else q.T
    return _fill(tensor, to_device(q.reshape(tensor.shape) * gain, tensor.device))


def sparse_(tensor, sparsity, std=0.01, generator=None):
    """N(0, std^2), and in each column a share `sparsity` (rounded up) of zeros at random rows.
    Martens 2010."""
    if tensor.ndim != 2:
        raise ValueError(f"sparse_: expected 2 dimensions, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    draw = generator or default_generator
    values = draw.normal((rows, columns), np.float64) * std
    for column in range(columns):
        values[draw.permutation(rows)[: math.ceil(sparsity * rows)], column] = 0
    return _fill(tensor, to_device(values, tensor.device))


# Names from before torch 0.4, which it still has.
uniform = uniform_
normal = normal_
constant = constant_
eye = eye_
dirac = dirac_
xavier_uniform = xavier_uniform_
xavier_normal = xavier_normal_
kaiming_uniform = kaiming_uniform_
kaiming_normal = kaiming_normal_
orthogonal, sparse = orthogonal_, sparse_
