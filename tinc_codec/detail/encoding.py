"""A section from a volume, to a budget of bytes, an error, or a step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail import packet
from tinc_codec.detail.fitting import fit_tables, fit_weights
from tinc_codec.detail.layout import Layout, layout
from tinc_codec.detail.model import Model, magnitudes_of
from tinc_codec.detail.plan import AXES, Plan
from tinc_codec.detail.quantiser import PRICE, Quantiser, Tally, costs_of
from tinc_codec.detail.scale import LARGEST_STEP, Scale, mean_byte, mean_of
from tinc_codec.detail.section import LARGEST_SHIFT, Parameters, pack
from tinc_codec.detail.tables import class_tables
from tinc_codec.detail.waves import over
from tinc_codec.detail.work import Work

SLOPE = 13
"""64ths of an octave by which a low half's step is finer: what makes this wavelet nearly orthonormal."""

_ROOM = 22
"""Bits that the range of samples is given in the integers."""

FINEST = 16
"""The finest step, in integers: numbers stay within 31 bits, at errors of a millionth of the range."""

COARSEST = LARGEST_STEP / 256
"""The coarsest step, in integers: nothing is left of any sample."""

_USUAL_EXPONENT = 1000

_SHIFTED = 3.0
"""Bands whose mean magnitude is above this have low bits stored as they are."""

_ROUNDING = 0.38

_GATHERED = 2**19
"""Coefficients that weights are fitted to, about."""


@dataclass(eq=False)
class Coefficients:
    """A volume's coefficients, and what they are coded with so far.

    Parameters
    ----------
    scale
        With a step of 1.
    values
        Of all bands, in the integers' units.
    splits
        Of each band, see `Plan.splits`.
    work
        Who works on them.
    """

    plan: Plan
    scale: Scale
    values: NDArray[np.float32]
    splits: NDArray[np.int64]
    work: Work

    @property
    def layout(self) -> Layout:
        """Where they lie."""
        return layout(self.plan)

    def steps(self, step: float) -> NDArray[np.float64]:
        """Steps of all bands."""
        scale = self.scaled(step)
        return np.array([scale.band_step(int(splits)) / 256 for splits in self.splits])

    def scaled(self, step: float) -> Scale:
        """The scale of a step."""
        return replace(self.scale, step=min(round(max(step, FINEST) * 256), LARGEST_STEP))


@dataclass(frozen=True, eq=False)
class Samples:
    """A volume in the integers' units.

    Parameters
    ----------
    scale
        With a step of 1.
    values
        float32, of four axes.
    """

    scale: Scale
    values: NDArray[np.float32]

    @classmethod
    def of(cls, volume: NDArray[np.float64]) -> Samples:
        """Scale a volume of finite values."""
        origin = float(volume.mean())
        spread = float(max(volume.max() - origin, origin - volume.min()))
        exponent = math.frexp(spread)[1] - _ROOM if spread else 0
        return cls(Scale(origin, exponent, 256, SLOPE, 0, 0), _scaled(volume - origin, -exponent).astype(np.float32))


def _scaled(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Times a power of 2, in place; `np.ldexp` takes ten times as long."""
    if abs(exponent) < _USUAL_EXPONENT:
        values *= 2.0**exponent
        return values
    return np.asarray(np.ldexp(values, exponent))


def transform(samples: Samples, plan: Plan, work: Work) -> Coefficients:
    """Coefficients of samples shaped like the plan."""
    values = np.concatenate([band.ravel() for band in packet.forward(samples.values, plan, work)])
    splits = np.array([sum(plan.splits(band, axis) for axis in range(AXES)) for band in plan.bands])
    return Coefficients(plan, samples.scale, values, splits, work)


@dataclass(frozen=True, eq=False)
class Trial:
    """Coefficients quantised with one step.

    Parameters
    ----------
    parameters
        What the section of these numbers holds.
    numbers
        Of all bands.
    bits
        What their code takes, about, without the parameters.
    error
        Root of the mean squared error, in integers of the scale, about.
    """

    coefficients: Coefficients
    step: float
    parameters: Parameters
    numbers: NDArray[np.int32]
    bits: float
    error: float

    @property
    def model(self) -> Model:
        """What the pieces are coded with."""
        p = self.parameters
        return Model(self.coefficients.layout, p.weights, p.mean_values, p.shifts, p.tables)

    @property
    def size(self) -> float:
        """Bytes of the section, about."""
        return self.bits / 8 + len(pack(self.parameters, [b""] * len(self.coefficients.layout.pieces)))

    def section(self) -> bytes:
        """The section's bytes."""
        parts, writer = self.coefficients.layout, self.coefficients.work.walker(self.model, self.numbers, known=True)
        codes = over(parts, range(len(parts.pieces)), lambda number: writer.write(parts.pieces[number]))
        return pack(self.parameters, codes)

    def fitted_weights(self) -> NDArray[np.int64]:
        """Weights that suit these numbers better than those that they were coded with."""
        parts, gatherer = self.coefficients.layout, self.coefficients.work.walker(self.model, self.numbers, known=True)
        every = max(1, parts.size // _GATHERED)
        some = [number for number in range(len(parts.pieces)) if not number or number % every == every // 2]
        normal = np.sum(over(parts, some, lambda number: gatherer.gather(parts.pieces[number])), axis=0)
        return fit_weights(normal, parts.size / sum(parts.pieces[number].size for number in some))


def attempt(
    coefficients: Coefficients, step: float, weights: NDArray[np.int64], deltas: NDArray[np.int32], price: float = PRICE
) -> Trial:
    """Quantise with a step; `deltas` are of the tables that bits are counted by, and are fitted again afterwards."""
    parts, steps = coefficients.layout, coefficients.steps(step)
    means, shifts = _first_means(coefficients, steps)
    tables = class_tables(deltas)
    values = np.array([mean_of(int(byte)) for byte in means], np.int64)
    numbers = np.zeros(parts.size, np.int32)
    costs = costs_of(tables)
    quantiser = Quantiser(coefficients.values, steps, costs, price)
    worker = coefficients.work.walker(Model(parts, weights, values, shifts, tables), numbers)
    tallies = over(parts, range(len(parts.pieces)), lambda number: worker.quantise(parts.pieces[number], quantiser))
    tally = Tally(sum(one.histogram for one in tallies), sum(one.sums for one in tallies))  # type: ignore[arg-type]
    better = fit_tables(tally.histogram)
    bits = tally.bits + float((tally.histogram * (costs_of(class_tables(better)) - costs)).sum())
    one, more = (int(np.clip(round(centre * 256), -128, 127)) for centre in tally.centres())
    for band in range(len(means)):
        if not parts.view(numbers, band).any():
            means[band] = 0
    scale = replace(coefficients.scaled(step), one=one, more=more)
    error = step * math.sqrt(float(tally.squares().sum()) / parts.size)
    return Trial(
        coefficients, step, Parameters(coefficients.plan, scale, means, shifts, weights, better), numbers, bits, error
    )


def _first_means(coefficients: Coefficients, steps: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Means and low bits of each band, where coefficients are quantised without weighing bits."""
    means, shifts = np.zeros(len(steps), np.uint8), np.zeros(len(steps), np.uint8)
    parts = coefficients.layout
    for band, step in enumerate(steps):
        numbers = np.floor(np.abs(parts.view(coefficients.values, band)) / step + _ROUNDING).astype(np.int32)
        if not numbers.any():
            continue
        mean = float(numbers.mean(dtype=np.float64))
        shifts[band] = min(max(0, math.floor(math.log2(mean / _SHIFTED))), LARGEST_SHIFT)
        means[band] = mean_byte(float(magnitudes_of(numbers, int(shifts[band])).mean()) * 256)
    return means, shifts
