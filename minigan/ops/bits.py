"""Integers and booleans bit by bit."""

import numpy as np

from ..autograd import Tensor, op
from ..autograd._types import Operand

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
]


@op
def bitwise_and(input: Tensor, other: Operand) -> Tensor:
    """x & y, of booleans and integers"""
    return np.bitwise_and(input, other)


@op
def bitwise_or(input: Tensor, other: Operand) -> Tensor:
    """x | y, of booleans and integers"""
    return np.bitwise_or(input, other)


@op
def bitwise_xor(input: Tensor, other: Operand) -> Tensor:
    """x ^ y, of booleans and integers"""
    return np.bitwise_xor(input, other)


@op
def bitwise_left_shift(input: Tensor, other: Operand) -> Tensor:
    """x * 2^y, of integers"""
    return np.left_shift(input, other)


@op
def bitwise_right_shift(input: Tensor, other: Operand) -> Tensor:
    """floor(x / 2^y), of integers"""
    return np.right_shift(input, other)


@op
def bitwise_not(input: Tensor) -> Tensor:
    """~x, of booleans and integers"""
    return np.bitwise_not(input)
