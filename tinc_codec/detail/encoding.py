"""A section from a volume, to a budget of bytes, an error, or a step."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail import packet
from tinc_codec.detail.fitting import fit_tables, fit_weights
from tinc_codec.detail.joining import whole
from tinc_codec.detail.layout import Layout, layout
from tinc_codec.detail.model import Model, magnitudes_of
from tinc_codec.detail.plan import AXES, Plan
from tinc_codec.detail.quantiser import PRICE, Quantiser, costs_of
from tinc_codec.detail.sample import Sample
from tinc_codec.detail.scale import LARGEST_STEP, Scale, mean_byte, mean_of, times_power
from tinc_codec.detail.section import LARGEST_SHIFT, Parameters, pack
from tinc_codec.detail.tables import class_tables
from tinc_codec.detail.work import Coder, EncodingWork
from tinc_codec.runtime.lazy import lazy

SLOPE = 13
"""64ths of an octave by which a low half's step is finer: what makes this wavelet nearly orthonormal."""

_ROOM = 22
"""Bits that the range of samples is given in the integers."""

FINEST = 16
"""The finest step, in integers: numbers stay within 31 bits, at errors of a millionth of the range."""

COARSEST = LARGEST_STEP / 256
"""The coarsest step, in integers: nothing is left of any sample."""

_SHIFTED = 3.0
"""Bands whose mean magnitude is above this have low bits stored as they are."""

_ROUNDING = 0.38

_SAMPLE = 2**13
"""Coefficients of a band that its mean is taken from, about."""

_SEEN = 2**18
"""Coefficients, at least, of the pieces that weights are fitted to, about, where not all of these are looked at."""


@dataclass(eq=False)
class Coefficients:
    """A volume's coefficients, and what they are coded with so far.

    Parameters
    ----------
    scale
        With a step of 1.
    values
        Of all bands, in the integers' units: float32, where `work` is done.
    splits
        Of each band, see `Plan.splits`.
    work
        Who works on them.
    """

    plan: Plan
    scale: Scale
    values: Any
    splits: NDArray[np.int64]
    work: EncodingWork

    @property
    def layout(self) -> Layout:
        """Where they lie."""
        return layout(self.plan)

    def steps(self, step: float) -> NDArray[np.float64]:
        """Steps of all bands."""
        scale = self.scaled(step)
        return np.array([scale.band_step(int(splits)) / 256 for splits in self.splits])

    @lazy
    def on_host(self) -> NDArray[np.float32]:
        """The values on the host, for what is looked at once."""
        return self.work.on_host(self.values)

    @lazy
    def peaks(self) -> NDArray[np.float32]:
        """The largest magnitude of each band."""
        views = [self.layout.view(self.on_host, band) for band in range(len(self.splits))]
        return np.array([max(band.max(initial=0), -band.min(initial=0)) for band in views], np.float32)

    @lazy
    def sampled(self) -> list[NDArray[np.float32]]:
        """Magnitudes of about `_SAMPLE` coefficients of each band, or of all."""
        flat = (self.layout.view(self.on_host, band).ravel() for band in range(len(self.splits)))
        return [np.abs(values[:: max(1, values.size // _SAMPLE)]) for values in flat]

    def activity(self, number: int) -> float:
        """The sum of a piece's magnitudes, in steps of its bands."""
        piece, total = self.layout.pieces[number], 0.0
        for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
            inside = self.layout.view(self.on_host, band)[tuple(slice(*ends) for ends in box)]
            total += float(np.abs(inside).sum()) / self.unit_steps[band]
        return total

    @lazy
    def energies(self) -> NDArray[np.float64]:
        """The sum of the squares of each band."""
        views = (self.layout.view(self.on_host, band) for band in range(len(self.splits)))
        return np.array([np.square(view).sum(dtype=np.float64) for view in views])

    @lazy
    def unit_steps(self) -> NDArray[np.float64]:
        """Steps of all bands in those of the whole."""
        return self.steps(FINEST) / FINEST

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
        return cls(
            Scale(origin, exponent, 256, SLOPE, 0, 0), times_power(volume - origin, -exponent).astype(np.float32)
        )


def transform(samples: Samples, plan: Plan, work: EncodingWork, known: packet.Splits | None = None) -> Coefficients:
    """Coefficients of samples shaped like the plan; `known`: see `tinc_codec.detail.packet.forward`."""
    values = work.flat(packet.forward(work.placed(samples.values), plan, work, known))
    splits = np.array([sum(plan.splits(band, axis) for axis in range(AXES)) for band in plan.bands])
    return Coefficients(plan, samples.scale, values, splits, work)


@dataclass(frozen=True, eq=False)
class Trial:
    """Coefficients quantised with one step.

    Parameters
    ----------
    sample
        The pieces that were.
    parameters
        What the section of these numbers holds.
    numbers, magnitudes
        Of all bands, and what they count as: int32 and uint8, where the work is done.
    bits
        What their code takes, about, without the parameters.
    error
        Root of the mean squared error, in integers of the scale, about.
    """

    coefficients: Coefficients
    sample: Sample
    step: float
    parameters: Parameters
    numbers: Any
    magnitudes: Any
    bits: float
    error: float

    @property
    def model(self) -> Model:
        """What the pieces are coded with."""
        p = self.parameters
        return Model(self.coefficients.layout, p.weights, p.mean_values, p.shifts, p.tables)

    def _walker(self) -> Coder:
        return self.coefficients.work.walker(self.model, self.numbers, self.magnitudes)

    @lazy
    def size(self) -> float:
        """Bytes of the section, about."""
        return self.bits / 8 + len(pack(self.parameters, [b""] * len(self.coefficients.layout.pieces)))

    def integers(self) -> NDArray[np.int32]:
        """What a decoder of the section gives, in integers of the scale, of four axes; of a trial of all pieces."""
        work, plan = self.coefficients.work, self.parameters.plan
        return work.on_host(work.inverse(self.numbers, whole(plan), self.parameters.scale))

    def section(self) -> bytes:
        """The section's bytes; of a trial of all pieces."""
        assert self.sample.whole
        return pack(self.parameters, self._walker().codes())

    def fitted_weights(self, looked_at: int) -> NDArray[np.int64]:
        """Weights that suit these numbers better than those that they were coded with.

        Parameters
        ----------
        looked_at
            Coefficients that they are fitted to, about.
        """
        some = self.sample.thinned(max(_SEEN, looked_at))
        every = max(1, int(some.sizes.sum()) // looked_at) | 1  # odd, so that it is in step with no row
        sharing = every * self.coefficients.layout.size / float(some.weights @ some.sizes)
        return fit_weights(self._walker().equations(some, every), sharing)


def attempt(
    coefficients: Coefficients,
    step: float,
    weights: NDArray[np.int64],
    deltas: NDArray[np.int32],
    sample: Sample | None = None,
    price: float = PRICE,
) -> Trial:
    """Quantise with a step.

    Parameters
    ----------
    deltas
        Of the tables that bits are counted by; they are fitted again afterwards.
    sample
        Pieces that stand for all; None: all.
    price
        Of a bit, in squared steps.
    """
    parts, steps = coefficients.layout, coefficients.steps(step)
    means, shifts = _first_means(coefficients, steps)
    tables = class_tables(deltas)
    values = np.array([mean_of(int(byte)) for byte in means], np.int64)
    numbers = coefficients.work.placed(np.zeros(parts.size, np.int32))
    costs = costs_of(tables)
    quantiser = Quantiser(coefficients.values, steps, costs, price)
    worker = coefficients.work.walker(Model(parts, weights, values, shifts, tables), numbers)
    sample = Sample.all(parts) if sample is None else sample
    tally = worker.tally(sample, quantiser)
    better = fit_tables(tally.histogram)
    bits = tally.bits + float((tally.histogram * (costs_of(class_tables(better)) - costs)).sum())
    one, more = (int(np.clip(round(centre * 256), -128, 127)) for centre in tally.centres())
    passed_over = means == 0  # nothing walks over these bands
    squares = float(tally.squares().sum() + (coefficients.energies[passed_over] / steps[passed_over] ** 2).sum())
    if sample.whole:
        means[~tally.occupied] = 0
    scale = replace(coefficients.scaled(step), one=one, more=more)
    error = step * math.sqrt(squares / parts.size)
    return Trial(
        coefficients,
        sample,
        step,
        Parameters(coefficients.plan, scale, means, shifts, weights, better),
        numbers,
        worker.magnitudes,
        bits,
        error,
    )


def _first_means(coefficients: Coefficients, steps: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Means and low bits of each band, where coefficients are quantised without weighing bits."""
    means, shifts = np.zeros(len(steps), np.uint8), np.zeros(len(steps), np.uint8)
    used = np.flatnonzero(coefficients.peaks / steps + _ROUNDING >= 1)
    if not len(used):
        return means, shifts
    some = [coefficients.sampled[band] for band in used]
    sizes = np.array([len(each) for each in some])
    begins = np.cumsum(sizes) - sizes  # all bands at once: there are many, and most are small
    numbers = np.floor(np.concatenate(some) / np.repeat(steps[used], sizes) + _ROUNDING).astype(np.int32)
    each = np.maximum(np.add.reduceat(numbers, begins, dtype=np.float64), 1) / sizes
    shifts[used] = np.clip(np.floor(np.log2(each / _SHIFTED)), 0, LARGEST_SHIFT)
    counting = magnitudes_of(numbers, np.repeat(shifts[used], sizes).astype(np.uint32))
    each = np.add.reduceat(counting, begins, dtype=np.float64) / sizes
    means[used] = [mean_byte(mean * 256) for mean in each.tolist()]
    return means, shifts
