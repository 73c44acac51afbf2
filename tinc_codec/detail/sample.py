"""Some of the pieces of a chunk, that stand for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.layout import Layout


@dataclass(frozen=True, eq=False)
class Sample:
    """Pieces that can be quantised without the others, since all that they are predicted from is among them.

    Parameters
    ----------
    layout
        Of all pieces.
    pieces
        Their numbers, ascending.
    weights
        For how many each of them stands.
    """

    layout: Layout
    pieces: tuple[int, ...]
    weights: NDArray[np.float64]

    @classmethod
    def all(cls, layout: Layout) -> Sample:
        """All pieces."""
        return cls(layout, tuple(range(len(layout.pieces))), np.ones(len(layout.pieces)))

    @classmethod
    def of(cls, layout: Layout, size: int, activity: Callable[[int], float]) -> Sample:
        """What others are predicted from, and of the rest pieces of about `size` coefficients.

        Parameters
        ----------
        activity
            Of a piece, which its bytes follow: quiet ones and busy ones are taken as they come among all.
        """
        total = sum(layout.pieces[number].size for number in layout.outer)
        every = max(1, total // size)
        some = sorted(layout.outer, key=activity)[every // 2 :: every] if every > 1 else layout.outer
        weight = total / max(1, sum(layout.pieces[number].size for number in some))
        weights = {**dict.fromkeys(layout.inner, 1.0), **dict.fromkeys(some, weight)}
        return cls(layout, tuple(sorted(weights)), np.array([weights[number] for number in sorted(weights)]))

    @property
    def whole(self) -> bool:
        """Whether these are all pieces."""
        return len(self.pieces) == len(self.layout.pieces)

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Coefficients of each."""
        return np.array([self.layout.pieces[number].size for number in self.pieces], float)

    def thinned(self, size: int) -> Sample:
        """The first piece, and every so many of the others, of about `size` coefficients, to be looked at only."""
        every = max(1, int(self.sizes.sum()) // size)
        some = [place for place in range(len(self.pieces)) if not place or place % every == every // 2]
        return Sample(self.layout, tuple(self.pieces[place] for place in some), self.weights[some])
