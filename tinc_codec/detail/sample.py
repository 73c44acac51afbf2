"""Some of the pieces of a chunk, that stand for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
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
        """Of the pieces that no other is predicted from some of about `size` coefficients, with all that they need.

        Parameters
        ----------
        activity
            Of a piece, which its bytes follow: quiet ones and busy ones are taken as they come among all.
        """
        every = max(1, sum(layout.pieces[number].size for number in layout.outer) // size)
        if every == 1:
            return cls.all(layout)
        pieces = layout.with_needs(sorted(layout.outer, key=activity)[every // 2 :: every])
        all_sizes, sizes = _sizes(layout, range(len(layout.pieces))), _sizes(layout, pieces)
        rungs = [_rung(layout, number) for number in pieces]
        return cls(layout, pieces, np.array([all_sizes[rung] / max(1, sizes[rung]) for rung in rungs]))

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


def _rung(layout: Layout, number: int) -> tuple[int, ...]:
    """What the pieces of a rung have in common: their bands."""
    return tuple(layout.pieces[number].bands.tolist())


def _sizes(layout: Layout, numbers: Iterable[int]) -> Counter[tuple[int, ...]]:
    """Coefficients of some pieces, rung by rung."""
    sizes = Counter[tuple[int, ...]]()
    for number in numbers:
        sizes[_rung(layout, number)] += layout.pieces[number].size
    return sizes
