"""The methods of Tensor that overwrite it: x += y, and those whose names end in _."""

from ..autograd.attributes import TensorAttributes, attach
from . import (
    activation,
    angles,
    arithmetic,
    arrange,
    bits,
    compose,
    elementary,
    indexing,
    inplace,
    running,
    scattering,
    shape,
    special,
)
from .inplace import in_place, inplace_view


@attach
class InPlaceMethods(TensorAttributes):
    __setitem__ = inplace.__setitem__
    __iadd__ = in_place(arithmetic.add, plain=inplace.plain_add)
    __isub__ = in_place(arithmetic.sub, plain=inplace.plain_sub)
    __imul__ = in_place(arithmetic.mul, plain=inplace.plain_mul)
    __itruediv__ = in_place(arithmetic._div, name="div_", plain=inplace.plain_div)
    __ipow__ = in_place(arithmetic.pow)
    __imod__ = in_place(arithmetic.remainder)
    __ifloordiv__ = in_place(arithmetic.floor_divide)
    __iand__ = in_place(bits.bitwise_and)
    __ior__ = in_place(bits.bitwise_or)
    __ixor__ = in_place(bits.bitwise_xor)
    __ilshift__ = in_place(bits.bitwise_left_shift)
    __irshift__ = in_place(bits.bitwise_right_shift)
    copy_ = inplace.copy_
    fill_ = inplace.fill_
    fill_diagonal_ = inplace.fill_diagonal_
    zero_ = inplace.zero_
    resize_ = inplace.resize_
    resize_as_ = inplace.resize_as_
    squeeze_ = inplace_view(shape.squeeze)
    unsqueeze_ = inplace_view(shape.unsqueeze)
    t_ = inplace_view(shape.t)
    transpose_ = inplace_view(shape.transpose)

    # --- arithmetic ---
    add_ = in_place(arithmetic.add, plain=inplace.plain_add)
    clamp_ = in_place(arithmetic.clamp, plain=inplace.plain_clamp)
    floor_ = in_place(arithmetic.floor)
    floor_divide_ = in_place(arithmetic.floor_divide)
    fmod_ = in_place(arithmetic.fmod)
    mul_ = in_place(arithmetic.mul, plain=inplace.plain_mul)
    neg_ = in_place(arithmetic.neg)
    pow_ = in_place(arithmetic.pow)
    remainder_ = in_place(arithmetic.remainder)
    round_ = in_place(arithmetic.round)
    sub_ = in_place(arithmetic.sub, plain=inplace.plain_sub)

    # --- elementary ---
    abs_ = in_place(elementary.abs)
    cos_ = in_place(elementary.cos)
    erf_ = in_place(elementary.erf)
    exp_ = in_place(elementary.exp)
    expm1_ = in_place(elementary.expm1)
    log1p_ = in_place(elementary.log1p)
    log_ = in_place(elementary.log)
    reciprocal_ = in_place(elementary.reciprocal)
    rsqrt_ = in_place(elementary.rsqrt)
    sign_ = in_place(elementary.sign)
    sin_ = in_place(elementary.sin)
    sqrt_ = in_place(elementary.sqrt)
    square_ = in_place(elementary.square)

    # --- activation ---
    relu_ = in_place(activation.relu)
    sigmoid_ = in_place(activation.sigmoid)
    tanh_ = in_place(activation.tanh)

    # --- angles ---
    acos_ = in_place(angles.acos)
    acosh_ = in_place(angles.acosh)
    arccos_ = in_place(angles.arccos, name="arccos_")
    arcsin_ = in_place(angles.arcsin, name="arcsin_")
    arctan2_ = in_place(angles.arctan2, name="arctan2_")
    arctan_ = in_place(angles.arctan, name="arctan_")
    arctanh_ = in_place(angles.arctanh, name="arctanh_")
    asin_ = in_place(angles.asin)
    asinh_ = in_place(angles.asinh)
    atan2_ = in_place(angles.atan2)
    atan_ = in_place(angles.atan)
    atanh_ = in_place(angles.atanh)
    deg2rad_ = in_place(angles.deg2rad)
    hypot_ = in_place(angles.hypot)
    rad2deg_ = in_place(angles.rad2deg)
    sinc_ = in_place(angles.sinc)

    # --- special ---
    copysign_ = in_place(special.copysign)
    div_ = in_place(special.div)
    divide_ = in_place(special.divide, name="divide_")
    erfc_ = in_place(special.erfc)
    erfinv_ = in_place(special.erfinv)
    fix_ = in_place(special.fix, name="fix_")
    heaviside_ = in_place(special.heaviside)
    ldexp_ = in_place(special.ldexp)
    sgn_ = in_place(special.sgn, name="sgn_")
    true_divide_ = in_place(special.true_divide, name="true_divide_")
    xlogy_ = in_place(special.xlogy)

    # --- compose ---
    absolute_ = in_place(compose.absolute, name="absolute_")
    addcdiv_ = in_place(compose.addcdiv)
    addcmul_ = in_place(compose.addcmul)
    bitwise_and_ = in_place(bits.bitwise_and)
    bitwise_left_shift_ = in_place(bits.bitwise_left_shift)
    bitwise_right_shift_ = in_place(bits.bitwise_right_shift)
    bitwise_not_ = in_place(bits.bitwise_not)
    bitwise_or_ = in_place(bits.bitwise_or)
    bitwise_xor_ = in_place(bits.bitwise_xor)
    ceil_ = in_place(compose.ceil)
    clamp_max_ = in_place(compose.clamp_max)
    clamp_min_ = in_place(compose.clamp_min)
    clip_ = in_place(compose.clip, name="clip_")
    exp2_ = in_place(compose.exp2)
    frac_ = in_place(compose.frac)
    index_add_ = in_place(scattering.index_add)
    index_copy_ = in_place(scattering.index_copy)
    index_fill_ = in_place(scattering.index_fill)
    lerp_ = in_place(compose.lerp)
    log10_ = in_place(compose.log10)
    log2_ = in_place(compose.log2)
    multiply_ = in_place(compose.multiply, name="multiply_")
    nan_to_num_ = in_place(compose.nan_to_num)
    negative_ = in_place(compose.negative, name="negative_")
    scatter_ = in_place(scattering.scatter)
    subtract_ = in_place(compose.subtract, name="subtract_")
    trunc_ = in_place(compose.trunc)

    # --- running ---
    cumprod_ = in_place(running.cumprod)

    # --- indexing ---
    index_put_ = in_place(indexing.index_put)
    masked_fill_ = in_place(indexing.masked_fill)
    scatter_add_ = in_place(indexing.scatter_add)

    # --- shape ---
    tril_ = in_place(shape.tril)
    triu_ = in_place(shape.triu)

    # --- arrange ---
    masked_scatter_ = in_place(arrange.masked_scatter)
