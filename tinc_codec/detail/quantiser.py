"""Numbers from coefficients, with rate and distortion weighed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.tables import ESCAPE, TOKENS, ClassTable

PRICE = 0.08
"""What a bit costs, in squared steps."""

SUMS = 8
"""Bits; of magnitudes of 0: squares; of those of 1, and of those above: their count, by how much they are off, squares."""


def costs_of(tables: tuple[ClassTable, ...]) -> NDArray[np.float64]:
    """Bits of each token in each class, signs included, shape ``(CLASSES, TOKENS)``."""
    costs = np.stack([24 - np.log2(np.asarray(table.tokens.frequencies, np.float64)) for table in tables])
    costs[:, 1:] += 1
    return costs


@dataclass(eq=False)
class Quantiser:
    """How coefficients are quantised, and what came of it.

    Parameters
    ----------
    coefficients
        float32, of all bands.
    steps
        Of each band.
    costs
        See `costs_of`.
    price
        Of a bit, in squared steps.
    histogram
        Out: how often each token came in each class.
    sums
        Out: of each band, see `SUMS`.
    """

    coefficients: NDArray[np.float32]
    steps: NDArray[np.float64]
    costs: NDArray[np.float64]
    price: float = PRICE
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros((CLASSES, TOKENS), np.int64))
    sums: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((len(self.steps), SUMS))

    @property
    def bits(self) -> float:
        """What all symbols take, about."""
        return float(self.sums[:, 0].sum())

    def centres(self) -> tuple[float, float]:
        """By how much magnitudes of 1, and those above, are off in the mean, in steps."""
        _, _, ones, off, _, more, further, _ = self.sums.sum(0).tolist()
        return off / max(ones, 1), further / max(more, 1)

    def squares(self, gains: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared errors that each band leaves in the samples with these centres, by binary logarithms of its gains."""
        _, zeros, ones, off, off_squared, more, further, further_squared = self.sums.T
        one, above = self.centres()
        around = off_squared - 2 * one * off + one * one * ones
        around += further_squared - 2 * above * further + above * above * more
        return (zeros + around) * (self.steps * 2**gains) ** 2

    def numbers(
        self, coefficients: NDArray[np.float32], classes: NDArray[np.uint8], band: int, shift: int
    ) -> NDArray[np.int64]:
        """Of the two numbers next to each coefficient and 0, the one that costs least in distortion and bits."""
        value = np.abs(coefficients.astype(np.float64)) * (1.0 / self.steps[band])
        top = np.floor(value + 0.5).astype(np.int64)
        if shift:
            best, bits = top, self._cost(top >> shift, classes) + shift
        else:
            best, bits, least = np.zeros_like(top), self.costs[classes, 0], None
            least = value * value + self.price * bits
            for candidate in (np.maximum(top - 1, 1), top):
                wrong = value - candidate + np.where(candidate == 1, 0.06, 0.03)
                cost = self._cost(candidate, classes)
                loss = wrong * wrong + self.price * cost
                better = (loss < least) & (candidate <= top)
                least, best, bits = (
                    np.where(better, new, old) for new, old in ((loss, least), (candidate, best), (cost, bits))
                )
        np.add.at(self.histogram, (classes, np.minimum(best >> shift, ESCAPE)), 1)
        self._note(value, best, float(bits.sum()), band)
        return np.where(coefficients < 0, -best, best)

    def _note(self, value: NDArray[np.float64], best: NDArray[np.int64], bits: float, band: int) -> None:
        off = value - best
        parts = [off[best == 0], off[best == 1], off[best > 1]]
        squares = [float((part * part).sum()) for part in parts]
        ones, more = ((len(part), float(part.sum())) for part in parts[1:])
        self.sums[band] += (bits, squares[0], *ones, squares[1], *more, squares[2])

    def _cost(self, tokens: NDArray[np.int64], classes: NDArray[np.uint8]) -> NDArray[np.float64]:
        beyond = np.maximum(tokens - ESCAPE + 1, 1)
        return self.costs[classes, np.minimum(tokens, ESCAPE)] + 2 * np.log2(beyond)
