"""Cases: elementary functions, each against Python's own function of one number."""

import math

from ops.case import Case, one, scalar

CASES = [
    Case("abs", one(away=(0.0,)), scalar(lambda x: x if x > 0 else -x)),
    Case("sign", one(away=(0.0,)), scalar(lambda x: math.copysign(1.0, x))),
    Case("square", one(), scalar(lambda x: x * x)),
    Case("sqrt", one(low=0.2, high=3.0), scalar(math.sqrt)),
    Case("rsqrt", one(low=0.3, high=3.0), scalar(lambda x: 1 / math.sqrt(x))),
    Case("reciprocal", one(low=0.4, high=3.0), scalar(lambda x: 1 / x)),
    Case("reciprocal:negative", one(low=-3.0, high=-0.4), scalar(lambda x: 1 / x)),
    Case("exp", one(), scalar(math.exp)),
    Case("expm1", one(), scalar(math.expm1)),
    Case("expm1:tiny", one(low=-1e-9, high=1e-9), scalar(math.expm1)),
    Case("log", one(low=0.3, high=3.0), scalar(math.log)),
    Case("log1p", one(low=-0.6, high=2.0), scalar(math.log1p)),
    Case("log1p:tiny", one(low=-1e-9, high=1e-9), scalar(math.log1p)),
    Case("sin", one(low=-6.0, high=6.0), scalar(math.sin)),
    Case("cos", one(low=-6.0, high=6.0), scalar(math.cos)),
    Case("erf", one(), scalar(math.erf)),
]
