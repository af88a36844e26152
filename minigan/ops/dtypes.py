"""torch's names for NumPy's dtypes: `minigan.float32`, `x.to(minigan.long)`."""

import numpy as np

__all__ = [
    "bool", "double", "float", "float16", "float32", "float64", "half", "int", "int16", "int32",
    "int64", "int8", "long", "short", "uint8",
]  # fmt: skip

float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")
uint8 = np.dtype("uint8")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
half = float16
float = float32
double = float64
short = int16
int = int32
long = int64
bool = np.dtype("bool")
