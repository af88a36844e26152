"""The ops as methods of Tensor, under torch's names.

An op is a plain Python function, so as a class attribute it is a method: `x.exp()` is `exp(x)`.
Python's operators are in `operators`; what ends in _ overwrites the Tensor (`inplace_methods`).
Checkers and editors see all of it as Tensor's base class, with the signatures of the ops.
"""

from typing import TYPE_CHECKING, Any

from ..autograd._types import DType, Ints, Operand, Place, Shape
from ..autograd.attributes import attach, from_python
from ..engine.tensor import Tensor, tensor_of
from . import (
    activation,
    angles,
    arithmetic,
    arrange,
    bits,
    compose,
    contraction,
    creation,
    decompositions,
    elementary,
    extremes,
    indexing,
    joining,
    linear_algebra,
    matrices,
    placement,
    product,
    quantiles,
    reduction,
    running,
    sampling,
    scattering,
    shape,
    softmax,
    sorting,
    special,
    thresholds,
)
from .inplace_methods import InPlaceMethods
from .operators import Operators

# In the class these names are methods.
_bool = bool


def _like(x, dtype, device, requires_grad):
    device = device or x.device
    return {"dtype": dtype or x.dtype, "device": device, "requires_grad": requires_grad}


@attach
class TensorMethods(Operators, InPlaceMethods):
    # --- like this one ---
    def new_zeros(
        self, *sizes: Ints, size: Ints = (), dtype: DType = None, device: Place = None,
        requires_grad: _bool = False,
    ) -> Tensor:  # fmt: skip
        """zeros(size) in the dtype and on the device of this Tensor."""
        return creation.zeros(*sizes, size=size, **_like(self, dtype, device, requires_grad))

    def new_ones(
        self, *sizes: Ints, size: Ints = (), dtype: DType = None, device: Place = None,
        requires_grad: _bool = False,
    ) -> Tensor:  # fmt: skip
        """ones(size) in the dtype and on the device of this Tensor."""
        return creation.ones(*sizes, size=size, **_like(self, dtype, device, requires_grad))

    def new_empty(
        self, *sizes: Ints, size: Ints = (), dtype: DType = None, device: Place = None,
        requires_grad: _bool = False,
    ) -> Tensor:  # fmt: skip
        """empty(size) in the dtype and on the device of this Tensor."""
        return creation.empty(*sizes, size=size, **_like(self, dtype, device, requires_grad))

    def new_full(
        self, size: Shape, fill_value: Operand, dtype: DType = None, device: Place = None,
        requires_grad: _bool = False,
    ) -> Tensor:  # fmt: skip
        """full(size, fill_value) in the dtype and on the device of this Tensor."""
        return creation.full(size, fill_value, **_like(self, dtype, device, requires_grad))

    def new_tensor(
        self, data: Any, dtype: DType = None, device: Place = None, requires_grad: _bool = False
    ) -> Tensor:
        """tensor(data) in the dtype and on the device of this Tensor."""
        return creation.tensor(data, **_like(self, dtype, device, requires_grad))

    def new(self, *arguments: Any) -> Tensor:
        """Tensor(...) in the dtype and on the device of this Tensor: sizes (uninitialised), or
        numbers."""
        return tensor_of(from_python(arguments, self.dtype)).to(self.device)

    def view_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of another: a view."""
        return shape.view(self, *other.shape)

    def where(self, condition: Tensor, other: Operand) -> Tensor:
        """These elements where `condition` is true, else those of `other`."""
        return indexing.where(condition, self, other)

    def reshape_as(self, other: Tensor) -> Tensor:
        """The same elements in the shape of another."""
        return shape.reshape(self, *other.shape)

    @property
    def T(self) -> Tensor:
        """All dimensions in reverse order."""
        return shape._reversed(self)

    @property
    def mT(self) -> Tensor:
        """Each matrix transposed; a number itself."""
        if self.ndim == 1:
            raise RuntimeError("mT is for matrices (..., m, n), this Tensor has one dimension")
        return shape.transpose(self, -2, -1) if self.ndim else self

    @property
    def mH(self) -> Tensor:
        """As mT: there are no complex numbers."""
        return self.mT

    @property
    def H(self) -> Tensor:
        """The matrix transposed; a number itself."""
        if self.ndim not in (0, 2):
            raise RuntimeError(
                f"H is for matrices (m, n), this Tensor has {self.ndim} dimensions: use mH"
            )
        return self.mT

    # --- ops, by family ---
    add = arithmetic.add
    clamp = arithmetic.clamp
    eq = arithmetic.eq
    floor = arithmetic.floor
    floor_divide = arithmetic.floor_divide
    fmod = arithmetic.fmod
    ge = arithmetic.ge
    gt = arithmetic.gt
    isfinite = arithmetic.isfinite
    isnan = arithmetic.isnan
    le = arithmetic.le
    logical_and = arithmetic.logical_and
    logical_not = arithmetic.logical_not
    logical_or = arithmetic.logical_or
    lt = arithmetic.lt
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    mul = arithmetic.mul
    ne = arithmetic.ne
    neg = arithmetic.neg
    pow = arithmetic.pow
    remainder = arithmetic.remainder
    round = arithmetic.round
    sub = arithmetic.sub
    abs = elementary.abs
    cos = elementary.cos
    erf = elementary.erf
    exp = elementary.exp
    expm1 = elementary.expm1
    log = elementary.log
    log1p = elementary.log1p
    reciprocal = elementary.reciprocal
    rsqrt = elementary.rsqrt
    sign = elementary.sign
    sin = elementary.sin
    sqrt = elementary.sqrt
    square = elementary.square
    prelu = activation.prelu
    relu = activation.relu
    sigmoid = activation.sigmoid
    softplus = activation.softplus
    tanh = activation.tanh
    acos = angles.acos
    acosh = angles.acosh
    arccos = angles.arccos
    arccosh = angles.arccosh
    arcsin = angles.arcsin
    arcsinh = angles.arcsinh
    arctan = angles.arctan
    arctan2 = angles.arctan2
    arctanh = angles.arctanh
    asin = angles.asin
    asinh = angles.asinh
    atan = angles.atan
    atan2 = angles.atan2
    atanh = angles.atanh
    deg2rad = angles.deg2rad
    hypot = angles.hypot
    rad2deg = angles.rad2deg
    sinc = angles.sinc
    copysign = special.copysign
    div = special.div
    divide = special.divide
    erfc = special.erfc
    erfinv = special.erfinv
    fix = special.fix
    float_power = special.float_power
    fmax = special.fmax
    fmin = special.fmin
    greater = special.greater
    greater_equal = special.greater_equal
    heaviside = special.heaviside
    isneginf = special.isneginf
    isposinf = special.isposinf
    isreal = special.isreal
    ldexp = special.ldexp
    less = special.less
    less_equal = special.less_equal
    logaddexp2 = special.logaddexp2
    not_equal = special.not_equal
    positive = special.positive
    sgn = special.sgn
    signbit = special.signbit
    true_divide = special.true_divide
    xlogy = special.xlogy
    hardshrink = thresholds.hardshrink
    absolute = compose.absolute
    addcdiv = compose.addcdiv
    addcmul = compose.addcmul
    baddbmm = compose.baddbmm
    bincount = compose.bincount
    bitwise_and = bits.bitwise_and
    bitwise_left_shift = bits.bitwise_left_shift
    bitwise_not = bits.bitwise_not
    bitwise_or = bits.bitwise_or
    bitwise_right_shift = bits.bitwise_right_shift
    bitwise_xor = bits.bitwise_xor
    ceil = compose.ceil
    clamp_max = compose.clamp_max
    clamp_min = compose.clamp_min
    clip = compose.clip
    cosh = compose.cosh
    diag = compose.diag
    dist = compose.dist
    exp2 = compose.exp2
    fliplr = compose.fliplr
    flipud = compose.flipud
    frac = compose.frac
    ger = compose.ger
    histc = compose.histc
    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    isclose = compose.isclose
    isinf = compose.isinf
    lerp = compose.lerp
    log10 = compose.log10
    log2 = compose.log2
    logaddexp = compose.logaddexp
    logical_xor = compose.logical_xor
    logit = compose.logit
    multiply = compose.multiply
    mv = compose.mv
    nan_to_num = compose.nan_to_num
    negative = compose.negative
    repeat_interleave = scattering.repeat_interleave
    rot90 = compose.rot90
    scatter = scattering.scatter
    select = scattering.select
    sinh = compose.sinh
    subtract = compose.subtract
    take = scattering.take
    tan = compose.tan
    trace = compose.trace
    trunc = compose.trunc
    unique = compose.unique
    addmm = product.addmm
    bmm = product.bmm
    dot = product.dot
    matmul = product.matmul
    mm = product.mm
    outer = product.outer
    addbmm = contraction.addbmm
    addmv = contraction.addmv
    addr = contraction.addr
    aminmax = contraction.aminmax
    corrcoef = contraction.corrcoef
    cov = contraction.cov
    cross = contraction.cross
    inner = contraction.inner
    kron = contraction.kron
    nanmean = contraction.nanmean
    nansum = contraction.nansum
    vdot = contraction.vdot
    det = linear_algebra.det
    inverse = linear_algebra.inverse
    logdet = linear_algebra.logdet
    pinverse = linear_algebra.pinverse
    slogdet = linear_algebra.slogdet
    cholesky = decompositions.cholesky
    qr = decompositions.qr
    svd = decompositions.svd
    matrix_power = matrices.matrix_power
    all = reduction.all
    allclose = reduction.allclose
    any = reduction.any
    count_nonzero = reduction.count_nonzero
    cumsum = reduction.cumsum
    equal = reduction.equal
    log_softmax = softmax.log_softmax
    logsumexp = softmax.logsumexp
    mean = reduction.mean
    norm = reduction.norm
    prod = reduction.prod
    softmax = softmax.softmax
    std = reduction.std
    sum = reduction.sum
    var = reduction.var
    amax = extremes.amax
    amin = extremes.amin
    argmax = extremes.argmax
    argmin = extremes.argmin
    max = extremes.max
    min = extremes.min
    kthvalue = quantiles.kthvalue
    median = quantiles.median
    mode = quantiles.mode
    msort = quantiles.msort
    nanmedian = quantiles.nanmedian
    nanquantile = quantiles.nanquantile
    quantile = quantiles.quantile
    argsort = sorting.argsort
    sort = sorting.sort
    topk = sorting.topk
    cummax = running.cummax
    cummin = running.cummin
    cumprod = running.cumprod
    diff = running.diff
    gather = indexing.gather
    index_put = indexing.index_put
    index_select = indexing.index_select
    masked_fill = indexing.masked_fill
    masked_select = indexing.masked_select
    nonzero = indexing.nonzero
    scatter_add = indexing.scatter_add
    take_along_dim = indexing.take_along_dim
    broadcast_to = shape.broadcast_to
    chunk = joining.chunk
    clone = shape.clone
    contiguous = shape.contiguous
    diagonal = shape.diagonal
    expand = shape.expand
    expand_as = shape.expand_as
    flatten = shape.flatten
    flip = shape.flip
    movedim = shape.movedim
    narrow = joining.narrow
    permute = shape.permute
    ravel = shape.ravel
    repeat = shape.repeat
    reshape = shape.reshape
    roll = shape.roll
    split = joining.split
    squeeze = shape.squeeze
    swapaxes = shape.swapaxes
    swapdims = shape.swapdims
    t = shape.t
    tile = shape.tile
    to = placement.to
    transpose = shape.transpose
    tril = shape.tril
    triu = shape.triu
    unbind = joining.unbind
    unflatten = shape.unflatten
    unsqueeze = shape.unsqueeze
    view = shape.view
    argwhere = arrange.argwhere
    diag_embed = arrange.diag_embed
    diagflat = arrange.diagflat
    diagonal_scatter = arrange.diagonal_scatter
    dsplit = arrange.dsplit
    hsplit = arrange.hsplit
    masked_scatter = arrange.masked_scatter
    moveaxis = arrange.moveaxis
    select_scatter = arrange.select_scatter
    slice_scatter = arrange.slice_scatter
    split_with_sizes = arrange.split_with_sizes
    tensor_split = arrange.tensor_split
    unique_consecutive = arrange.unique_consecutive
    vsplit = arrange.vsplit
    bernoulli = sampling.bernoulli
    bernoulli_ = sampling.bernoulli_
    exponential_ = sampling.exponential_
    multinomial = sampling.multinomial
    normal_ = sampling.normal_
    random_ = sampling.random_
    uniform_ = sampling.uniform_

    unfold = arrange.windows

    if TYPE_CHECKING:  # what torch's other names put here (minigan.compat)

        def type(self, dtype: Any = None, non_blocking: _bool = False) -> Any: ...
