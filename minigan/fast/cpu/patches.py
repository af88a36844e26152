"""Convolution of any geometry as matrix products: the patches of x that each y sees are copied side
by side first (im2col).

With P the patches (C kernel, positions) of some images and w as a matrix (O, C kernel),

    conv  y = w @ P        conv_transpose  P = w^T @ y, added to x        conv_weight  w = y @ P^T

An image with many positions has a matrix of its own; those with few share one, side by side. So
many images are taken at a time that P stays in the cache.
"""

import math

import numpy as np

from ...machine.threads import num_threads
from .gemm import NO_TRANS, TRANS, gemm, gemm_address, place
from .im2col import (
    PLANE,
    SMALL,
    U,
    col2im,
    col2im_of_small,
    im2col,
    im2col_of_small,
    side_by_side,
    sizes_of,
    table_of,
    three,
)
from .kernels import kernel
from .layout import row_major
from .shared_kernel import InPieces, pieces_of

CACHE = 1 << 17  # numbers in the patches that a thread works on at a time
ENOUGH = 64  # positions that make a product efficient
MIN_WORK = 1 << 13  # numbers in patches that are worth a thread


@kernel
def conv_kernel(
    piece, pieces, x, w, bias, slope, y, groups, at_once, joint, pointwise, sizes, index, plane,
    way, address,
):  # fmt: skip
    """y (N, O, positions) = leaky ReLU of the convolution of x (N, C, D, H, W); w (O, C kernel /
    groups), bias (O,). Pieces are of the images."""
    rows, positions = w.shape[1], y.shape[2]
    outputs, channels = len(w) // groups, x.shape[1] // groups
    zero, one = x.dtype.type(0), x.dtype.type(1)
    patches = np.empty(1 if pointwise else at_once * rows * positions, x.dtype)
    result = np.empty(outputs * at_once * positions if joint else 1, x.dtype)
    flat = y.reshape(-1)
    begin, end = len(x) * piece // pieces, len(x) * (piece + 1) // pieces
    for group in range(groups):
        first, out = group * channels, group * outputs
        weight = place(w, out * rows)
        for low in range(begin, end, at_once):
            images = min(at_once, end - low)
            row, image = (images * positions, positions) if joint else (positions, rows * positions)
            if not pointwise:
                im2col(way, x, low, images, patches, row, image, first, channels,
                       sizes, index, plane)  # fmt: skip
            for i in range(images):
                start = ((low + i) * len(w) + out) * positions
                given, to = place(patches, i * image), place(flat, start)
                if joint:
                    to = place(result, 0)
                elif pointwise:
                    given = place(x, ((low + i) * x.shape[1] + first) * positions)
                if i == 0 or not joint:  # row is how many columns the product has
                    gemm(address, NO_TRANS, NO_TRANS, outputs, row, rows, weight, rows,
                         given, row, zero, to, row)  # fmt: skip
                for c in range(outputs):
                    b, at, own = bias[out + c], (c * images + i) * positions, start + c * positions
                    if joint:
                        for k in range(positions):
                            v = result[U(at + k)] + b
                            flat[U(own + k)] = v if v > zero else slope * v
                    elif b != zero or slope != one:
                        for k in range(positions):
                            v = flat[U(own + k)] + b
                            flat[U(own + k)] = v if v > zero else slope * v


@kernel
def conv_transpose_kernel(
    piece, pieces, y, w, bias, x, groups, at_once, joint, pointwise, sizes, index, plane, way,
    address,
):  # fmt: skip
    """x (N, C, D, H, W) = transposed convolution of y (N, O, positions); w (O, C kernel / groups),
    bias (C,). Pieces are of the images."""
    rows, positions = w.shape[1], y.shape[2]
    outputs, channels = len(w) // groups, x.shape[1] // groups
    zero, volume = x.dtype.type(0), x.shape[2] * x.shape[3] * x.shape[4]
    patches = np.empty(1 if pointwise else at_once * rows * positions, x.dtype)
    given = np.empty(outputs * at_once * positions if joint else 1, x.dtype)
    flat = x.reshape(-1)
    begin, end = len(x) * piece // pieces, len(x) * (piece + 1) // pieces
    for group in range(groups):
        first, out = group * channels, group * outputs
        weight = place(w, out * rows)
        for low in range(begin, end, at_once):
            images = min(at_once, end - low)
            row, image = (images * positions, positions) if joint else (positions, rows * positions)
            if joint:
                side_by_side(y, low, images, out, outputs, given)
            for i in range(images):
                start = ((low + i) * x.shape[1] + first) * volume
                part, to = (
                    place(y, ((low + i) * len(w) + out) * positions),
                    place(patches, i * image),
                )
                if joint:
                    part = place(given, 0)
                elif pointwise:
                    to = place(flat, start)
                if i == 0 or not joint:
                    gemm(address, TRANS, NO_TRANS, rows, row, outputs, weight, rows,
                         part, row, zero, to, row)  # fmt: skip
                for c in range(channels):
                    b, at = bias[first + c], start + c * volume
                    for k in range(volume):
                        flat[U(at + k)] = flat[U(at + k)] + b if pointwise else b
            if not pointwise:
                col2im(way, x, low, images, patches, row, image, first, channels,
                       sizes, index, plane)  # fmt: skip


@kernel
def conv_weight_kernel(
    piece, pieces, x, y, w, groups, at_once, joint, pointwise, sizes, index, plane, way, address
):  # fmt: skip
    """w (1, O, C kernel / groups) = sum over the images of y (N, O, positions) and the patches of
    x. Pieces are of the channels of x; if w is (pieces, ...), of the images."""
    positions, shared = y.shape[2], x.shape[1] // groups
    rows, outputs = w.shape[2], w.shape[1] // groups
    by_images = len(w) > 1
    begin, end, low_channel, high_channel = 0, len(x), 0, shared
    if by_images:
        begin, end = len(x) * piece // pieces, len(x) * (piece + 1) // pieces
    else:
        low_channel, high_channel = shared * piece // pieces, shared * (piece + 1) // pieces
    channels, taps = high_channel - low_channel, rows // shared
    here = channels * taps
    patches = np.empty(1 if pointwise else at_once * here * positions, x.dtype)
    given = np.empty(outputs * at_once * positions if joint else 1, x.dtype)
    sums = (piece if by_images else 0) * w.shape[1]
    for group in range(groups):
        first, out = group * shared + low_channel, group * outputs
        to = place(w, (sums + out) * rows + low_channel * taps)
        for low in range(begin, end, at_once):
            images = min(at_once, end - low)
            row, image = (images * positions, positions) if joint else (positions, here * positions)
            if not pointwise:
                im2col(way, x, low, images, patches, row, image, first, channels,
                       sizes, index, plane)  # fmt: skip
            if joint:
                side_by_side(y, low, images, out, outputs, given)
            for i in range(1 if joint else images):
                beta = x.dtype.type(0 if low + i == begin else 1)
                part = place(y, ((low + i) * y.shape[1] + out) * positions)
                seen = place(patches, i * image)
                if joint:
                    part = place(given, 0)
                elif pointwise:
                    seen = place(x, ((low + i) * x.shape[1] + first) * positions)
                gemm(address, NO_TRANS, TRANS, outputs, here, row, part, row,
                     seen, row, beta, to, rows)  # fmt: skip


_conv = InPieces(conv_kernel, products=True)
_conv_transpose = InPieces(conv_transpose_kernel, products=True)
_conv_weight = InPieces(conv_weight_kernel, products=True)


IM2COL, COL2IM = (im2col, im2col_of_small), (col2im, col2im_of_small)


class _Call:
    """What the kernels need to know of a geometry; they see three spatial dimensions, those missing
    being 1. ways: by which they copy patches of large and of small x."""

    def __init__(self, geometry, channels, outputs, dtype, ways):
        g = self.geometry = geometry
        self.size = three(g.size, 1)
        self.sizes = sizes_of(g)
        self.positions, self.rows = math.prod(g.out), channels // g.groups * math.prod(g.kernel)
        # Where each tap sees the whole of x, x itself is the matrix.
        self.pointwise = (
            g.out == g.size
            and set(g.kernel) == {1} == set(g.stride)
            and not any(g.padding)
            and self.positions >= ENOUGH
        )
        self.joint = self.positions < ENOUGH
        self.weight, self.address = self.rows * outputs // g.groups, gemm_address(dtype)
        small = self.positions <= SMALL
        self.index, self.plane = (
            table_of(g) if small else (np.empty((0, 0), np.int64), np.zeros(1, PLANE))
        )
        self.way = 0 if self.pointwise else ways[small].address(dtype)
        self.least = MIN_WORK // max(1, self.rows * self.positions)

    def arguments(self, images):
        """groups, at_once, joint, pointwise, sizes, index, plane, way, address. Where images share
        a product, a large weight is worth more of them."""
        bound = max(CACHE, self.weight // 2) if self.joint else CACHE
        step = max(
            1,
            bound // (self.rows * self.positions),
            -(-ENOUGH // self.positions) if self.joint else 1,
        )
        at_once = -(-images // -(-images // step))
        tables = self.sizes, self.index, self.plane
        products = self.joint, self.pointwise
        return self.geometry.groups, at_once, *products, *tables, self.way, self.address

    def volume(self, x):
        """x (N, C, *size) as (N, C, D, H, W)."""
        return x.reshape(*x.shape[:2], *self.size)


def given_or_zeros(bias, channels, dtype):
    return np.zeros(channels, dtype) if bias is None else np.ascontiguousarray(bias)


def conv(x, w, bias, geometry, slope=1.0):
    """As `formula.conv`, plus bias; of that a leaky ReLU."""
    x, w = row_major(x), np.ascontiguousarray(w)
    y = np.empty((len(x), len(w), *geometry.out), x.dtype)
    call = _Call(geometry, x.shape[1], len(w), x.dtype, IM2COL)
    matrix, flat = w.reshape(len(w), -1), y.reshape(len(y), len(w), -1)
    pieces, long = pieces_of(len(x), call.least)
    arguments = call.arguments(-(-len(x) // pieces))
    _conv(
        pieces,
        long,
        call.volume(x),
        matrix,
        given_or_zeros(bias, len(w), x.dtype),
        x.dtype.type(slope),
        flat,
        *arguments,
    )
    return y


def conv_transpose(y, w, bias, geometry):
    """As `formula.conv_transpose`, plus bias."""
    y, w = row_major(y), np.ascontiguousarray(w)
    channels = w.shape[1] * geometry.groups
    x = np.empty((len(y), channels, *geometry.size), y.dtype)
    call = _Call(geometry, channels, len(w), y.dtype, COL2IM)
    matrix, flat = w.reshape(len(w), -1), y.reshape(len(y), len(w), -1)
    pieces, long = pieces_of(len(y), call.least)
    arguments = call.arguments(-(-len(y) // pieces))
    _conv_transpose(
        pieces,
        long,
        flat,
        matrix,
        given_or_zeros(bias, channels, y.dtype),
        call.volume(x),
        *arguments,
    )
    return x


def conv_weight(x, y, geometry):
    """As `formula.conv_weight`. Threads share the channels of x, or its images if these are few:
    then their sums are added in order."""
    x, y = row_major(x), row_major(y)
    outputs = y.shape[1]
    channels = x.shape[1] // geometry.groups
    call = _Call(geometry, x.shape[1], outputs, x.dtype, IM2COL)
    by_channels = channels >= 4 * num_threads()
    if by_channels:
        pieces, long = pieces_of(channels, call.least * channels // len(x))
        images = len(x)
    else:
        pieces, long = pieces_of(len(x), call.least)
        images = -(-len(x) // pieces)
    # no view: a view that became a leaf's gradient would be copied
    w = np.empty((outputs, channels, *geometry.kernel), x.dtype)
    sums = w.reshape(1, outputs, call.rows)
    parts = sums if by_channels or pieces == 1 else np.empty((pieces, *sums.shape[1:]), x.dtype)
    flat = y.reshape(len(y), outputs, -1)
    _conv_weight(pieces, long, call.volume(x), flat, parts, *call.arguments(images))
    if parts is not sums:
        np.add(parts[0], parts[1], sums[0])
        for more in parts[2:]:
            sums[0] += more
    return w
