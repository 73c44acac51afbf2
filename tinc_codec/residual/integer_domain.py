"""Samples as integers 0 .. top, the domain in which residuals are exact arithmetic (FORMAT.md, "Residual")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_TOP = 2**32 - 1
"""Largest integer of the domain: with it, no sum of a prediction leaves what float64 holds exactly."""

FINENESS = 256
"""Steps of the domain to one allowed error, for floats: the bound loses 1/512 of itself to rounding."""


_EXACT = 4
"""Bytes of integers whose differences float64 holds."""


class Kind(IntEnum):
    """How integers become samples."""

    INTEGER = 0
    FLOAT = 1
    BITS = 2


@dataclass(frozen=True)
class IntegerDomain:
    """Samples x as integers y.

    Parameters
    ----------
    kind
        ``INTEGER`` and ``FLOAT``: x = origin + y * quantum, in 64-bit integers or in float64. ``BITS``: y counts the
        numbers that the dtype has above `origin`.
    dtype
        Native dtype of the samples.
    origin
        Sample of y = 0: a Python int, or a float.
    quantum
        Difference between neighbours; 1 for ``BITS``.
    top
        Largest y, at most `LARGEST_TOP`.
    """

    kind: Kind
    dtype: np.dtype[Any]
    origin: float | int
    quantum: float | int
    top: int

    def to_samples(self, y: NDArray[np.float64]) -> NDArray[Any]:
        """Samples of integers within 0 .. `top`."""
        if self.kind is Kind.FLOAT:
            with np.errstate(over="ignore"):
                samples: NDArray[Any] = (y * np.float64(self.quantum) + np.float64(self.origin)).astype(self.dtype)
            return samples
        if self.kind is Kind.BITS:
            return _from_order(y.astype(np.int64) + self._ordered_origin, self.dtype)
        steps = y.astype(np.uint64) * np.uint64(self.quantum)
        return (steps + np.uint64(int(self.origin) % 2**64)).astype(self.dtype)

    def from_samples(self, samples: NDArray[Any]) -> NDArray[np.float64]:
        """Nearest integers of finite samples, clipped to 0 .. `top`; float64, of integer value."""
        if self.kind is Kind.FLOAT:
            with np.errstate(over="ignore"):
                y = np.rint((samples.astype(np.float64) - np.float64(self.origin)) / np.float64(self.quantum))
            return np.clip(y, 0, self.top)
        if self.kind is Kind.BITS:
            return np.clip(_to_order(samples) - self._ordered_origin, 0, self.top).astype(np.float64)
        if self.quantum == 1 and self.dtype.itemsize <= _EXACT:
            differences = np.subtract(samples, np.float64(self.origin), dtype=np.float64)
            return np.asarray(np.clip(differences, 0, self.top, out=differences))
        origin = np.array(self.origin, self.dtype)
        above = samples > origin
        distance = np.where(above, samples, origin).astype(np.uint64) - np.uint64(int(self.origin) % 2**64)
        half = np.uint64(int(self.quantum) // 2)
        quotient = np.minimum(distance, np.uint64(2**64 - 1) - half) + half
        steps: NDArray[np.uint64] = np.minimum(quotient // np.uint64(self.quantum), np.uint64(self.top))
        return steps.astype(np.float64)

    @property
    def _ordered_origin(self) -> int:
        return int(_to_order(np.array([self.origin], self.dtype))[0])


def _to_order(samples: NDArray[Any]) -> NDArray[np.int64]:
    """Floats as integers in the same order: bits of the magnitude, negated below zero; both zeros are 0."""
    bits = samples.view(f"i{samples.dtype.itemsize}").astype(np.int64)
    return np.where(bits < 0, np.int64(-(2 ** (8 * samples.dtype.itemsize - 1))) - bits, bits)


def _from_order(ordered: NDArray[np.int64], dtype: np.dtype[Any]) -> NDArray[Any]:
    bits = np.where(ordered < 0, np.int64(-(2 ** (8 * dtype.itemsize - 1))) - ordered, ordered)
    return bits.astype(f"i{dtype.itemsize}").view(dtype)


def exact_grid(samples: NDArray[Any], low: Any, high: Any) -> IntegerDomain | None:
    """Domain in which every one of the finite `samples` is a point; None where the range is too wide for that."""
    dtype = samples.dtype
    if dtype.kind != "f":
        top = int(high) - int(low)
        return IntegerDomain(Kind.INTEGER, dtype, int(low), 1, top) if top <= LARGEST_TOP else None
    even = _even_grid(samples, low, high)
    if even is not None:
        return even
    first, last = (int(_to_order(np.array([value], dtype))[0]) for value in (low, high))
    return IntegerDomain(Kind.BITS, dtype, float(low), 1, last - first) if last - first <= LARGEST_TOP else None


def _even_grid(samples: NDArray[Any], low: Any, high: Any) -> IntegerDomain | None:
    """The coarsest even domain that all floats lie on bit for bit, as whole numbers stored as floats do."""
    fraction, exponent = np.frexp(np.unique(samples).astype(np.float64))
    digits = np.ldexp(fraction, 53).astype(np.int64)
    lowest = (exponent - 53 + np.log2(np.where(digits, digits & -digits, 1)))[digits != 0]
    with np.errstate(over="ignore"):
        unit = math.ldexp(1.0, int(lowest.min())) if lowest.size else 0.0
        if unit == 0 or not (float(high) - float(low)) / unit <= LARGEST_TOP:
            return None
    top = round((float(high) - float(low)) / unit)
    fine = IntegerDomain(Kind.FLOAT, samples.dtype, float(low), unit, top)
    factor = max(1, int(np.gcd.reduce(fine.from_samples(samples).astype(np.int64), axis=None)))
    domain = IntegerDomain(Kind.FLOAT, samples.dtype, float(low), unit * factor, top // factor)
    return domain if _same(domain.to_samples(domain.from_samples(samples)), samples) else None


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    kind = f"u{a.dtype.itemsize}"
    return bool((a.view(kind) == b.view(kind)).all())


def bounded_domain(samples: NDArray[Any], low: Any, high: Any, error: float) -> tuple[IntegerDomain, int] | None:
    """IntegerDomain and largest error on it such that samples keep within `error`, in the data's units.

    Returns
    -------
    (IntegerDomain, int) or None
        The error in the domain's integers. None where the range over the error is too wide.
    """
    exact = exact_grid(samples, low, high)
    if samples.dtype.kind != "f":
        if exact is None:
            return _coarse_integers(samples.dtype, int(low), int(high), error)
        return exact, min(math.floor(error), exact.top)
    fine = _fine_floats(samples.dtype, float(low), float(high), error)
    if exact is None:
        return fine
    if exact.kind is Kind.BITS:
        return fine or (exact, 0)
    ulp = _ulp(samples.dtype, float(low), float(high))
    room = error - (ulp / 2 if exact.quantum < ulp else 0)  # between samples lie numbers that the dtype has not
    allowed = min(max(0, math.floor(min(room / float(exact.quantum), LARGEST_TOP))), exact.top)
    wider = fine is None or (2 * allowed + 1) * float(exact.quantum) >= 2 * error
    return (exact, allowed) if wider else fine


def _fine_floats(dtype: np.dtype[Any], low: float, high: float, error: float) -> tuple[IntegerDomain, int] | None:
    """IntegerDomain for floats, much finer than the error; None where the dtype itself is not."""
    ulp = _ulp(dtype, low, high)
    quantum = (error - ulp / 2) / FINENESS  # the decoder's last rounding takes half a step of the dtype
    span = high - low
    if not quantum > ulp / FINENESS or not span / quantum < LARGEST_TOP:
        return None
    top = math.ceil(span / quantum)
    return IntegerDomain(Kind.FLOAT, dtype, low, quantum, top), min(FINENESS - 1, top)


def _ulp(dtype: np.dtype[Any], low: float, high: float) -> float:
    """Distance of neighbouring numbers of a dtype, around where they are farthest apart between `low` and `high`."""
    largest = dtype.type(max(abs(low), abs(high)))
    below = float(largest) - float(np.nextafter(largest, dtype.type(0)))
    return 2 * below if np.frexp(largest)[0] == 0.5 else below  # above a power of two they are twice as far apart


def _coarse_integers(dtype: np.dtype[Any], low: int, high: int, error: float) -> tuple[IntegerDomain, int] | None:
    """IntegerDomain for 64-bit integers of a wide range: its rounding takes a part of the error."""
    quantum = -(-(high - low) // LARGEST_TOP)
    allowed = (math.floor(error) - (quantum - 1)) // quantum  # at the top of the range, rounding is downwards
    top = (high - low) // quantum
    return None if allowed < 1 else (IntegerDomain(Kind.INTEGER, dtype, low, quantum, top), min(allowed, top))
