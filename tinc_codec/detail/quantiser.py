"""Numbers from coefficients, with rate and distortion weighed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.tables import ESCAPE, TOKENS, ClassTables
from tinc_codec.stream.entropy import PRECISION

PRICE = 0.1
"""What a bit costs, in squared steps."""

OFF = (0.06, 0.03)
"""What a magnitude of 1, and one above, is off in the mean, in steps: added to errors while numbers are chosen."""

SUMS = 8
"""Bits; of magnitudes of 0: squares; of those of 1, and of those above: count, by how much they are off, squares."""


def costs_of(tables: ClassTables) -> NDArray[np.float64]:
    """Bits of each token in each class, signs included, shape ``(CLASSES, TOKENS)``."""
    costs = PRECISION - np.log2(tables.tokens)
    costs[:, 1:] += 1
    return costs


@dataclass(frozen=True, eq=False)
class Tally:
    """What came of quantising.

    Parameters
    ----------
    histogram
        How often each token came in each class.
    sums
        Of each band, see `SUMS`.
    """

    histogram: NDArray[np.int64] | NDArray[np.float64]
    sums: NDArray[np.float64]

    @classmethod
    def of(cls, bands: int) -> Tally:
        """Nothing yet."""
        return cls(np.zeros((CLASSES, TOKENS), np.int64), np.zeros((bands, SUMS)))

    @classmethod
    def total(cls, tallies: list[Tally], weights: NDArray[np.float64]) -> Tally:
        """The sum of some, each counting as often as its weight says."""
        histogram, sums = np.zeros((CLASSES, TOKENS)), np.zeros_like(tallies[0].sums)
        for one, weight in zip(tallies, weights.tolist(), strict=True):
            histogram += weight * one.histogram
            sums += weight * one.sums
        return cls(histogram, sums)

    @property
    def bits(self) -> float:
        """What all symbols take, about."""
        return float(self.sums[:, 0].sum())

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Of each band, whether any of its numbers is not 0."""
        return np.asarray(self.sums[:, 2] + self.sums[:, 5] > 0)

    def centres(self) -> tuple[float, float]:
        """By how much magnitudes of 1, and those above, are off in the mean, in steps."""
        _, _, ones, off, _, more, further, _ = self.sums.sum(0).tolist()
        return off / max(ones, 1), further / max(more, 1)

    def squares(self) -> NDArray[np.float64]:
        """Squared errors in each band, in squared steps, with these centres."""
        _, zeros, ones, off, off_squared, more, further, further_squared = self.sums.T
        one, above = self.centres()
        around = off_squared - 2 * one * off + one * one * ones
        around += further_squared - 2 * above * further + above * above * more
        return np.asarray(
            np.maximum(zeros + around, 0.0)
        )  # differences of sums, of what is all but exact a little below 0


@dataclass(frozen=True, eq=False)
class Quantiser:
    """How coefficients are quantised.

    Parameters
    ----------
    coefficients
        float32, of all bands, where the work is done.
    steps
        Of each band.
    costs
        See `costs_of`.
    price
        Of a bit, in squared steps.
    """

    coefficients: Any
    steps: NDArray[np.float64]
    costs: NDArray[np.float64]
    price: float = PRICE

    def numbers(
        self, coefficients: NDArray[np.float32], classes: NDArray[np.uint8], band: int, shift: int, tally: Tally
    ) -> NDArray[np.int64]:
        """Of the two numbers next to each coefficient and 0, the one that costs least in distortion and bits."""
        value = np.abs(coefficients.astype(np.float64)) * (1.0 / self.steps[band])
        top = np.floor(value + 0.5).astype(np.int64)
        if shift:
            best, bits = top, self._cost(top >> shift, classes) + shift
        else:
            best, bits = self._cheapest(value, top, classes)
        np.add.at(tally.histogram, (classes, np.minimum(best >> shift, ESCAPE)), 1)
        off = value - best
        parts = [off[best == 0], off[best == 1], off[best > 1]]
        squares = [float((part * part).sum()) for part in parts]
        ones, more = ((len(part), float(part.sum())) for part in parts[1:])
        tally.sums[band] += (float(bits.sum()), squares[0], *ones, squares[1], *more, squares[2])
        return np.asarray(np.where(coefficients < 0, -best, best))

    def _cheapest(
        self, value: NDArray[np.float64], top: NDArray[np.int64], classes: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        best, bits = np.zeros_like(top), self.costs[classes, 0]
        least = value * value + self.price * bits
        for candidate in (np.maximum(top - 1, 1), top):
            wrong = value - candidate + np.where(candidate == 1, *OFF)
            cost = self._cost(candidate, classes)
            loss = wrong * wrong + self.price * cost
            better = (loss < least) & (candidate <= top)
            least, best, bits = (
                np.where(better, new, old) for new, old in ((loss, least), (candidate, best), (cost, bits))
            )
        return best, bits

    def _cost(self, tokens: NDArray[np.int64], classes: NDArray[np.uint8]) -> NDArray[np.float64]:
        beyond = np.maximum(tokens - ESCAPE + 1, 1)
        return np.asarray(self.costs[classes, np.minimum(tokens, ESCAPE)] + 2 * np.log2(beyond))
