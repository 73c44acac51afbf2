"""One tile while it is coded, on the lattice of one level: what is known of it, and a pass of it coded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual.interlace import REACH, Neighbourhood, Pass
from tinc_codec.residual.prediction import Around, PassModel, expected_error, predict, spread_terms


@dataclass(frozen=True)
class Quantiser:
    """How residuals are quantised.

    Parameters
    ----------
    width
        Quantisation step, in the domain's integers.
    rounding
        What is added before rounding down; 0.5 keeps the error within half a step, less makes zeros more likely.
    """

    width: int
    rounding: float = 0.5

    def steps(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantise differences of integer value."""
        if self.rounding == 0.5:
            half = self.width // 2
            magnitude = np.floor((np.abs(difference) + half) / self.width)
        else:
            magnitude = np.floor(np.abs(difference) / self.width + self.rounding)
        return np.asarray(np.copysign(magnitude, difference) + 0.0)


@dataclass(frozen=True, eq=False)
class PassCoding:
    """How the voxels of a pass are coded, in every tile.

    Parameters
    ----------
    step
        The pass.
    model
        How they are predicted.
    quantiser
        How what is left is quantised.
    top
        Largest integer of the domain.
    """

    step: Pass
    model: PassModel
    quantiser: Quantiser
    top: int


class Coded(NamedTuple):
    """What a pass made of its voxels, in C order."""

    expected: NDArray[np.float64]
    """Errors, in units of 1 / `UNIT`."""
    steps: NDArray[np.int64]
    """By how many quantisation steps each voxel is off its prediction; 0 where it is not coded."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """What is known of a tile on one lattice.

    Parameters
    ----------
    values
        What is decoded so far; with a border of `REACH` that mirrors it. Nothing else of it is looked at.
    errors
        Magnitude of decoded minus predicted, where anything is decoded; with the same border.
    base
        The model's prediction.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    base: NDArray[np.float64]

    @classmethod
    def begun(cls, base: NDArray[np.float64], coarser: Lattice | None) -> Lattice:
        """The lattice of a level when its first pass begins.

        Parameters
        ----------
        base
            The model's prediction on it.
        coarser
            The lattice of twice the stride, complete; None: nothing is decoded.
        """
        padded = [n + 2 * REACH for n in base.shape]
        lattice = cls(np.empty(padded), np.zeros(padded), base)
        lattice.inner(lattice.values)[...] = base
        lattice.take(coarser)
        return lattice

    def take(self, coarser: Lattice | None) -> None:
        """Enter what is known of the lattice of twice the stride; None: nothing is."""
        if coarser is not None:
            every = (slice(None, None, 2),) * self.base.ndim
            self.inner(self.values)[every] = coarser.inner(coarser.values)
            self.inner(self.errors)[every] = coarser.inner(coarser.errors)
        self.mirror()

    def inner(self, padded: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is inside of the border; a view."""
        return padded[tuple(slice(REACH, n - REACH) for n in padded.shape)]

    def around(self, step: Pass) -> Around:
        """What the voxels of a pass are predicted from."""
        values, errors = (Neighbourhood(padded, step.parity) for padded in (self.values, self.errors))
        return Around(values, errors, step.odd(self.base))

    def enter(self, step: Pass, decoded: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
        """Enter the voxels of a pass."""
        step.odd(self.inner(self.values))[...] = decoded
        step.odd(self.inner(self.errors))[...] = np.abs(decoded - predicted)
        self.mirror()

    def mirror(self) -> None:
        """Make the borders what they mirror."""
        for axis, n in enumerate(self.base.shape):
            for border, inside in _mirrored(n):
                for padded in (self.values, self.errors):
                    along = padded.swapaxes(0, axis)
                    along[border] = along[inside]


@lru_cache(maxsize=256)
def _mirrored(n: int) -> list[tuple[int, int]]:
    """Places of the border along an axis of `n`, and those that they mirror."""
    places = np.pad(np.arange(n) + REACH, REACH, mode="reflect").tolist()
    return [(border, inside) for border, inside in enumerate(places) if border != inside]


def code_tile(
    coding: PassCoding, lattice: Lattice, target: NDArray[np.float64], inside: NDArray[np.bool_] | None
) -> Coded:
    """Predict, quantise and enter the voxels of a pass of one tile.

    Parameters
    ----------
    coding
        How.
    lattice
        What is known of the tile.
    target
        What the voxels are, integers of the domain.
    inside
        Which are coded; None: all.
    """
    step, model, quantiser, top = coding.step, coding.model, coding.quantiser, coding.top
    around = lattice.around(step)
    predicted = predict(around, step, model, top)
    expected = expected_error(spread_terms(around, step, predicted, model.pairs), model)
    steps = quantiser.steps(target - predicted)
    if inside is not None:
        steps = np.where(inside, steps, 0.0)
    lattice.enter(step, np.clip(predicted + steps * quantiser.width, 0, top), predicted)
    return Coded(expected.ravel(), steps.astype(np.int64).ravel())
