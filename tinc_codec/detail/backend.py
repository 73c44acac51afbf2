"""Who walks over pieces: the one place where it is decided."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, Union

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend_name
from tinc_codec.detail import walk
from tinc_codec.detail.layout import Layout
from tinc_codec.runtime.threads import share

if TYPE_CHECKING:
    from tinc_codec.detail.backend_numba import Walker as CompiledWalker

T = TypeVar("T")
_WORTH = 2**15
"""Coefficients that are worth a thread."""

Walker = Union[walk.Walker, "CompiledWalker"]


def walker(model: walk.Model, numbers: NDArray[np.int32], known: bool = False) -> Walker:
    """Numba's, where it is installed, or the reference; the numbers and bytes are the same."""
    if backend_name() == "numba":
        from tinc_codec.detail import backend_numba

        return backend_numba.Walker(model, numbers, known)
    return walk.Walker(model, numbers, known)


def over(layout: Layout, pieces: Sequence[int], work: Callable[[int], T]) -> list[T]:
    """What `work` gives for each piece, wave after wave, the pieces of each in several threads.

    Parameters
    ----------
    pieces
        Numbers of pieces, ascending.
    """
    results: list[T] = []
    for _, wave in itertools.groupby(pieces, lambda number: layout.pieces[number].wave):
        results += _side_by_side(layout, list(wave), work)
    return results


def _side_by_side(layout: Layout, pieces: list[int], work: Callable[[int], T]) -> list[T]:
    results: dict[int, T] = {}

    def some(begin: int, end: int) -> None:
        for number in pieces[begin:end]:
            results[number] = work(number)

    share(some, [layout.pieces[number].size for number in pieces], _WORTH)
    return [results[number] for number in pieces]
