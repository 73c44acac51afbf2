"""Steps and centres: coefficients from numbers, in integers; and short forms of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.stream.fields import FieldReader, FieldWriter

CENTRE = 8
"""Binary places of numbers with their centres, and of steps."""

FINE = 64
"""Slopes are in units of 1 / 64 of an octave."""

LARGEST_STEP = 2**40
_POWER = 30
USUAL_EXPONENT = 1000


@lru_cache(maxsize=1)
def powers() -> tuple[int, ...]:
    """2^(30 + i / 64) to the nearest integer, for i from 0 to 63."""
    with localcontext() as context:
        context.prec = 40
        root = Decimal(2).ln() / FINE
        return tuple(int((2**_POWER * (root * i).exp()).to_integral_value()) for i in range(FINE))


@dataclass(frozen=True)
class Scale:
    """From numbers to samples.

    Parameters
    ----------
    origin, exponent
        A sample is `origin` plus an integer times ``2 ** exponent``.
    step
        Quantisation step where an axis is split into low halves as often as into high ones, in 2^-8.
    slope
        By how many 64ths of an octave a step is finer for each low half more.
    one, more
        What is added to the magnitudes of 1, and of those above, in 2^-8: the centre of what they stand for.
    """

    origin: float
    exponent: int
    step: int
    slope: int
    one: int
    more: int

    @property
    def sample_step(self) -> float:
        """The step in samples' units; infinite where no encoder wrote it."""
        with np.errstate(over="ignore"):
            return float(np.ldexp(self.step / (1 << CENTRE), self.exponent))

    def band_step(self, splits: int) -> int:
        """Step of a band with so many more low halves than high ones, in 2^-8; at least 1."""
        octaves, part = divmod(-splits * self.slope, FINE)
        shift = _POWER - octaves
        product = self.step * powers()[part]
        return max(1, product >> shift if shift >= 0 else product << -shift)

    def pack(self, out: FieldWriter) -> None:
        """Write the fields."""
        out.number("d", self.origin)
        out.number("h", self.exponent)
        out.count(self.step)
        out.number("B", self.slope)
        out.number("b", self.one)
        out.number("b", self.more)

    @classmethod
    def unpack(cls, section: FieldReader) -> Scale:
        """Read the fields."""
        origin = section.real("d")
        if not math.isfinite(origin):
            section.fail(f"samples from {origin}")
        exponent = int(np.frombuffer(section.raw(2), "<i2")[0])
        step, slope = section.count(LARGEST_STEP), section.byte()
        one, more = np.frombuffer(section.raw(2), np.int8).tolist()
        return cls(origin, exponent, step, slope, one, more)


def times_power(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Times a power of 2, in place where that can be; `np.ldexp` gives the same, and takes ten times as long."""
    if abs(exponent) < USUAL_EXPONENT:
        values *= 2.0**exponent
        return values
    return np.asarray(np.ldexp(values, exponent))


def coefficients(numbers: NDArray[np.int32], step: int, one: int, more: int) -> NDArray[np.int32]:
    """Coefficients from numbers of a band.

    Parameters
    ----------
    step
        Of the band, in 2^-8.
    one, more
        See `Scale`.
    """
    wide = numbers.astype(np.int64)
    magnitude = np.abs(wide)
    centre = np.where(magnitude == 1, one, more)
    product = ((magnitude << CENTRE) + centre) * np.int64(step)
    value = product + (1 << 2 * CENTRE - 1) >> 2 * CENTRE
    return np.where(magnitude == 0, 0, np.where(wide < 0, -value, value)).astype(np.int32)


LARGEST_MEAN = 55


def mean_of(byte: int) -> int:
    """What a byte stands for: itself below 4, else an exponent and the two bits after the leading one."""
    return byte if byte < 4 else (4 + byte % 4) << (byte // 4 - 1)


def mean_byte(mean: float) -> int:
    """The byte whose number is nearest, at least 1."""
    return max(1, int(np.abs(_means() - mean).argmin()))


@lru_cache(maxsize=1)
def _means() -> NDArray[np.int64]:
    return np.array([mean_of(byte) for byte in range(LARGEST_MEAN + 1)], np.int64)
