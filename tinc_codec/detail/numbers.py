"""The numbers of a chunk, decoded when they are asked for, and kept."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.model import Model
from tinc_codec.detail.schedule import over
from tinc_codec.detail.work import Walker, Work
from tinc_codec.runtime.lazy import lazy

_MAGNITUDES = 1
"""Bytes that a walker keeps for each number: what it counts as."""


class Numbers:
    """Numbers of all bands, of which pieces are decoded at their first use.

    There is no lock: two threads that need the same piece both decode it, and write the same numbers.
    """

    def __init__(self, model: Model, codes: tuple[bytes, ...], work: Work) -> None:
        self._model, self._codes, self._work = model, codes, work
        self._there = np.array([not code for code in codes])  # no code is that of zeros
        self._begun = False

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self._model.layout.size * (4 + _MAGNITUDES) if self._begun else 0

    @lazy
    def _flat(self) -> NDArray[np.int32]:
        return np.zeros(self._model.layout.size, np.int32)

    @lazy
    def _walker(self) -> Walker:
        return self._work.walker(self._model, self._flat)

    def of(self, pieces: Iterable[int]) -> NDArray[np.int32]:
        """All numbers; those of these pieces are there.

        Parameters
        ----------
        pieces
            Numbers of pieces, ascending, with those that they need.

        Raises
        ------
        CorruptStreamError
            No encoder wrote one of the codes.
        """
        self._begun = True
        parts = self._model.layout.pieces
        missing = [piece for piece in pieces if not self._there[piece]]
        walker = self._walker
        over(self._model.layout, missing, walker.parallel, lambda piece: walker.read(parts[piece], self._codes[piece]))
        self._there[missing] = True
        return self._flat
