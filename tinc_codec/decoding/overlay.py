"""Samples that are stored one by one: exact values and corrections, at any part of a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.lazy import lazy
from tinc_codec.tree.folding import Indices


@dataclass(frozen=True, eq=False)
class Overlay:
    """Where the samples are, and what they are.

    Parameters
    ----------
    mask
        Bool, in the chunk's folded shape.
    values
        In C order of the places, dtype of the chunk.
    """

    mask: NDArray[np.bool_]
    values: NDArray[Any]

    @lazy
    def _places(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.mask)

    @property
    def nbytes(self) -> int:
        """Memory in bytes, with the places that are found at the first use."""
        return self.mask.nbytes + self.values.nbytes + 8 * len(self.values)

    def on_product(self, samples: NDArray[Any], indices: Indices) -> None:
        """Enter the values into samples of a product of indices."""
        inside = self.mask[np.ix_(*indices)]
        at = np.nonzero(inside)
        samples[inside] = self._at(tuple(index[part] for index, part in zip(indices, at, strict=True)))

    def on_points(self, samples: NDArray[Any], indices: Indices) -> None:
        """Enter the values into samples of points."""
        inside = self.mask[indices]
        samples[inside] = self._at(tuple(index[inside] for index in indices))

    def on_all(self, samples: NDArray[Any]) -> None:
        """Enter the values into all samples of the chunk."""
        samples[self.mask] = self.values

    def _at(self, places: Indices) -> NDArray[Any]:
        flat = np.ravel_multi_index(places, self.mask.shape)
        values: NDArray[Any] = self.values[np.searchsorted(self._places, flat)]
        return values
