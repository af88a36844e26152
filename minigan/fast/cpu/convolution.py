"""Which way of computing a convolution on the CPU is the fastest for given sizes. All give
`formula`'s results, up to rounding."""

import numpy as np

from ...ops.activation import leaky_relu
from ...ops.convolution import cards
from ..conv_activation import activation_grad_and_sums, conv_activation
from . import direct, patches, toomcook, volumes
from .kernels import kernel
from .layout import row_major
from .matmul import product
from .shared_kernel import InPieces, pieces_of

WIDE = 32  # channels from which on fewer multiplications pay for the additions around them
MANY = 1024  # columns of all products that pay for the transformation of the weight
# columns that pay for compiling these kernels for narrow maps: that takes 2 to 3 s of a first run,
# and the main job's step is 3 to 16 % quicker with them where it has half as many columns (batches
# of 32), a third where it has as many (64)
NARROW, MORE = 64, 8192
MIN_WORK = 1 << 14  # numbers that are worth a thread
WORTH = 350  # columns that the larger tiles must save: the weight is larger at their points


def _plan(images, c, o, geometry):
    """The plan of `toomcook`, where it is the better way; else None."""
    plan, large = toomcook.plan(geometry, 4), toomcook.plan(geometry)
    if large is None or (channels := min(c * large.stride**2, o)) < WIDE:
        return None
    if plan is None or images * int(plan.pairs.sum() - large.pairs.sum()) > WORTH:
        plan = large
    least = MANY if channels >= NARROW else MORE
    return plan if images * int(plan.pairs.sum()) >= least else None


def _whole(geometry):
    """Does the kernel see the whole of x at once? Then the convolution is a matrix product as it
    stands."""
    return (
        geometry.kernel == geometry.size
        and set(geometry.out) == {1} == {geometry.groups} == set(geometry.dilation)
        and not any(geometry.padding)
    )


def _by_planes(n, c, o, geometry):
    """Is it a convolution of volumes that is quicker as one of images, with a plan for these?"""
    g = geometry
    return (
        len(g.size) == 3
        and g.groups == 1
        and _plan(n * g.out[0], c * g.kernel[0], o, volumes.images(g)) is not None
    )


def conv(x, w, bias, geometry):
    """x (N, C, *size), w (O, C / groups, *kernel), bias (O,) or None -> (N, O, *out)"""
    return activated_conv(x, w, bias, geometry, 1.0)


def activated_conv(x, w, bias, geometry, slope):
    """As `conv`, and of that a leaky ReLU; slope 1: none"""
    cards.check_dtypes(input=x, weight=w, bias=bias)
    if not x.size:
        return np.zeros((len(x), len(w), *geometry.out), x.dtype)
    if _whole(geometry):
        y = product(x.reshape(len(x), -1), w.reshape(len(w), -1).T)
        y = (y if bias is None else y + bias).reshape(*y.shape, *geometry.out)
        return y if slope == 1 else leaky_relu.card.select(y)(y, slope)
    if _by_planes(len(x), x.shape[1], len(w), geometry):
        weight = w.reshape(len(w), -1, *w.shape[3:])
        y = activated_conv(volumes.cut(x, geometry), weight, bias, volumes.images(geometry), slope)
        return volumes.deep(y, len(x))
    if direct.pays(geometry, x.shape[1], len(w)):
        return direct.conv(x, w, bias, geometry, slope)
    plan = _plan(len(x), x.shape[1], len(w), geometry)
    return (
        patches.conv(x, w, bias, geometry, slope)
        if plan is None
        else toomcook.conv(x, w, bias, geometry, plan, slope)
    )


def conv_transpose(y, w, bias, geometry):
    """y (N, O, *out), w (O, C / groups, *kernel), bias (C,) or None -> (N, C, *size)"""
    cards.check_dtypes(input=y, weight=w, bias=bias)
    c = w.shape[1] * geometry.groups
    if not y.size:
        return np.zeros((len(y), c, *geometry.size), y.dtype)
    if _whole(geometry):
        x = product(y.reshape(len(y), -1), w.reshape(len(w), -1)).reshape(len(y), c, -1)
        x = x if bias is None else x + bias[:, None]
        return x.reshape(len(y), c, *geometry.size)
    if _by_planes(len(y), c, len(w), geometry):
        weight = w.reshape(len(w), -1, *w.shape[3:])
        found = conv_transpose(volumes.plane_by_plane(y), weight, None, volumes.images(geometry))
        return volumes.joined(found, len(y), bias, geometry)
    if direct.transpose_pays(geometry, c, len(w)):
        return direct.conv_transpose(y, w, bias, geometry)
    plan = _plan(len(y), c, len(w), geometry)
    return (
        patches.conv_transpose(y, w, bias, geometry)
        if plan is None
        else toomcook.conv_transpose(y, w, bias, geometry, plan)
    )


def conv_weight(x, y, geometry):
    """x (N, C, *size), y (N, O, *out) -> (O, C / groups, *kernel)"""
    cards.check_dtypes(x=x, y=y)
    shape = (y.shape[1], x.shape[1] // geometry.groups, *geometry.kernel)
    if not x.size:
        return np.zeros(shape, x.dtype)
    if _whole(geometry):
        return product(y.reshape(len(y), -1).T, x.reshape(len(x), -1)).reshape(shape)
    if _by_planes(len(x), x.shape[1], y.shape[1], geometry):
        several, planes = volumes.cut(x, geometry), volumes.plane_by_plane(y)
        return conv_weight(several, planes, volumes.images(geometry)).reshape(shape)
    if direct.pays(geometry, x.shape[1], y.shape[1]):
        return direct.conv_weight(x, y, geometry)
    plan = _plan(len(x), x.shape[1], y.shape[1], geometry)
    return (
        patches.conv_weight(x, y, geometry)
        if plan is None
        else toomcook.conv_weight(x, y, geometry, plan)
    )


@kernel
def _rule(piece, pieces, g, y, slope, h, total):
    """h = g times the slope where y is below 0, (N, C, positions), and its sums by channel. Pieces
    are of the channels."""
    images, channels, positions = y.shape
    zero = y.dtype.type(0)
    for c in range(channels * piece // pieces, channels * (piece + 1) // pieces):
        sums = zero
        for n in range(images):
            own, given, out = y[n, c], g[n, c], h[n, c]
            for k in range(positions):
                v = given[k] if own[k] > zero else slope * given[k]
                out[k] = v
                sums += v
        total[c] = sums


_rule_in_pieces = InPieces(_rule)


@activation_grad_and_sums.kernel("cpu")
def _(g, y, slope):
    g, y = row_major(g), row_major(y)
    h, total = np.empty(y.shape, y.dtype), np.empty(y.shape[1], y.dtype)
    flat = [a.reshape(*y.shape[:2], -1) for a in (g, y, h)]
    pieces, long = pieces_of(y.shape[1], MIN_WORK * y.shape[1] // max(1, y.size))
    _rule_in_pieces(pieces, long, *flat[:2], y.dtype.type(slope), flat[2], total)
    return h, total


cards.conv.kernel("cpu")(conv)
conv_activation.kernel("cpu")(activated_conv)
cards.conv_transpose.kernel("cpu")(conv_transpose)
cards.conv_weight.kernel("cpu")(conv_weight)
