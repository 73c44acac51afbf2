"""Work over pieces, those that do not need each other side by side."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

from tinc_codec.detail.layout import Layout
from tinc_codec.runtime.threads import share

T = TypeVar("T")
_WORTH = 2**15
"""Coefficients that are worth a thread."""


def over(layout: Layout, pieces: Sequence[int], parallel: bool, work: Callable[[int], T]) -> list[T]:
    """What `work` gives for each piece, wave after wave.

    Parameters
    ----------
    pieces
        Numbers of pieces, ascending.
    parallel
        Whether several threads do those of a wave; see `tinc_codec.detail.work.Walker`.
    """
    if not parallel:
        return [work(number) for number in pieces]
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
