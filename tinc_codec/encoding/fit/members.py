"""Chunks that are trained as one batch, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tinc_codec.tree.structure import Tree

Problem = TypeVar("Problem")
Result = TypeVar("Result")

Watch = Callable[[float], None]
"""Called with the fraction done every few steps; what it raises ends the training of its chunk."""


@dataclass(frozen=True, eq=False)
class Member(Generic[Problem]):
    """A chunk of a batch.

    Parameters
    ----------
    problem
        What to fit.
    watch
        See `Watch`.
    """

    problem: Problem
    watch: Watch


class Outcomes(Generic[Result]):
    """What became of members so far. Whose training has ended stays in the batch, and nobody looks at it.

    Parameters
    ----------
    watches
        Of the members.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches
        self._ended: dict[int, Result | BaseException] = {}

    @property
    def open(self) -> list[int]:
        """Numbers of the members that are still in training."""
        return [number for number in range(len(self._watches)) if number not in self._ended]

    @property
    def all(self) -> list[Result | BaseException]:
        """An outcome for each member."""
        return [self._ended[number] for number in range(len(self._watches))]

    def end(self, number: int, outcome: Result | BaseException) -> None:
        """Keep what became of a member that is still in training."""
        self._ended.setdefault(number, outcome)

    def watch(self, fraction: float) -> None:
        """Tell every member that is still in training how far it is."""
        for number in self.open:
            try:
                self._watches[number](fraction)
            except BaseException as error:  # of this chunk, whichever thread trains it
                self.end(number, error)


def kind_of(tree: Tree) -> Hashable:
    """What trees have in common that can be trained as one batch."""
    levels = tuple((level.layers, level.widths, level.classes.tobytes()) for level in tree.levels)
    return tree.partition.shape, levels
