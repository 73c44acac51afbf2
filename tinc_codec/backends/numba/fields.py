"""`tinc_codec.stream.fields.FieldReader`, compiled by numba: `at` holds where in the bytes the next field begins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit


@jit
def take_byte(data: Any, at: Any) -> Any:
    """The next byte; -1: there is none."""
    if at[0] >= len(data):
        return -1
    at[0] += 1
    return np.int64(data[at[0] - 1])


@jit
def take_count(data: Any, at: Any, limit: int) -> Any:
    """`tinc_codec.stream.fields.FieldReader.count`; -1: there is none."""
    value = np.int64(0)
    for shift in range(0, 56, 7):  # what is longer is left to the reference
        taken = take_byte(data, at)
        if taken < 0:
            return -1
        value |= (taken & 127) << shift
        if taken < 128:
            return value if value <= limit else -1
    return -1


@jit
def take_real(data: Any, at: Any, single: bool) -> float:
    """The next float of 32 or 64 bits, if it is finite and not negative; -1: it is not, or there is none."""
    size, places = (4, 23) if single else (8, 52)
    if at[0] + size > len(data):
        return -1.0
    bits: Any = np.int64(0)
    for place in range(size):
        bits |= np.int64(data[at[0] + place]) << (8 * place)
    at[0] += size
    largest = (1 << (8 * size - 1 - places)) - 1
    exponent, mantissa = bits >> places, bits & ((1 << places) - 1)
    if exponent < 0 or exponent >= largest:  # with its sign
        return -1.0
    if exponent > 0:
        mantissa += 1 << places
    else:
        exponent = 1
    return math.ldexp(float(mantissa), exponent - largest // 2 - places)
