"""Numbers from coefficients, with rate and distortion weighed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.tables import ESCAPE, TOKENS, ClassTable

PRICE = 0.08
"""What a bit costs, in squared steps."""


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
    bits
        Out: what they cost.
    """

    coefficients: NDArray[np.float32]
    steps: NDArray[np.float64]
    costs: NDArray[np.float64]
    price: float = PRICE
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros((CLASSES, TOKENS), np.int64))
    bits: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))

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
        self.bits += bits.sum()
        return np.where(coefficients < 0, -best, best)

    def _cost(self, tokens: NDArray[np.int64], classes: NDArray[np.uint8]) -> NDArray[np.float64]:
        beyond = np.maximum(tokens - ESCAPE + 1, 1)
        return self.costs[classes, np.minimum(tokens, ESCAPE)] + 2 * np.log2(beyond)
