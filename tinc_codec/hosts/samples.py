"""What an array's samples tell about it, judged by a few of its chunks: values, range, and whether they are names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 16
"""Number of distinct values up to which they are classes or flags, and not intensities."""

_SAME, _JUMPS = 0.2, 0.6
"""What a label image has at least: share of neighbours with the same name, entropy of jumps over that of names."""

_EDGE = 128
"""Edge of the part of a chunk that is looked at."""

_SHORTEST = 8
"""Voxels along an axis below which neighbours along it are not looked at: channels, colours."""


@dataclass(frozen=True)
class Sample:
    """Some chunks of an array.

    Parameters
    ----------
    values
        Distinct finite values, up to one more than `FEW` of them; empty where nothing was looked at.
    low, high
        Range of the finite values.
    names
        For each chunk that has two neighbours off the background, whether its values are names rather than amounts.
    """

    values: frozenset[Any] = frozenset()
    low: float = 0.0
    high: float = 0.0
    names: tuple[bool, ...] = field(default=())

    @property
    def is_labelled(self) -> bool:
        """Whether the samples are names of objects wherever there are objects."""
        return bool(self.names) and all(self.names)

    def __add__(self, other: Sample) -> Sample:
        if not self.values or not other.values:
            return self if self.values else other
        values = frozenset(list(self.values | other.values)[: FEW + 1])
        return Sample(values, min(self.low, other.low), max(self.high, other.high), self.names + other.names)


def sample_of(chunk: NDArray[Any]) -> Sample:
    """What one chunk tells, by the middle of it where that is not all one value."""
    chunk = np.atleast_1d(chunk)  # a single value is a chunk, too
    middle = chunk[tuple(_middle(n) for n in chunk.shape)]
    part = middle if middle.size and (middle != middle.flat[0]).any() else chunk
    finite = part if part.dtype.kind in "iu" else part[np.isfinite(part)]
    if not finite.size:
        return Sample()
    values = np.unique(finite)
    few = frozenset(values[: FEW + 1].tolist())
    return Sample(few, float(values[0]), float(values[-1]), tuple(_names(part, values)))


def _middle(n: int) -> slice:
    start = max(0, (n - _EDGE) // 2)
    return slice(start, start + _EDGE)


def _names(part: NDArray[Any], values: NDArray[Any]) -> Iterator[bool]:
    """Whether values are names: neighbours are the same or of any other value, not of one near by.

    A neighbour that differs is told in fewer bits by its difference where samples are amounts, and by its own value
    where they are names. The most common value is left out: a background is flat in images as well.
    """
    if values.dtype.kind == "f" and (values != np.rint(values)).any():
        return
    ranks = np.searchsorted(values, np.where(np.isfinite(part), part, values[0]))
    background = np.bincount(ranks.reshape(-1)).argmax()
    pairs = [_pairs(ranks, axis, background) for axis in range(part.ndim) if part.shape[axis] >= _SHORTEST]
    first, second = (np.concatenate([pair[side] for pair in pairs]) if pairs else ranks[:0] for side in (0, 1))
    if len(first) < 2:
        return
    differ = first != second
    if not differ.any():
        yield True
        return
    old, new = values[first[differ]], values[second[differ]]
    same, jumps = 1 - differ.mean(), new - old  # unsigned ones wrap around, which leaves distinct ones distinct
    yield bool(same >= _SAME and _entropy(jumps) >= _JUMPS * _entropy(new))


def _pairs(ranks: NDArray[Any], axis: int, background: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    along = np.moveaxis(ranks, axis, 0)
    first, second = along[:-1], along[1:]
    inside = (first != background) & (second != background)
    return first[inside], second[inside]


def _entropy(values: NDArray[Any]) -> float:
    _, counts = np.unique(values, return_counts=True)
    shares = counts / counts.sum()
    return float(-np.sum(shares * np.log2(shares)))


def sampled(chunks: Iterable[NDArray[Any]], largest_error: float | None) -> Sample:
    """Look at chunks until they tell that an array is an image, which no further chunk can take back."""
    sample = Sample()
    for chunk in chunks:
        sample += sample_of(chunk)
        if why_not_amounts(sample, largest_error) is None and sample.values:
            break
    return sample


def why_not_amounts(sample: Sample, largest_error: float | None) -> str | None:
    """Why samples must stay exact; None: they are amounts, as an image's, or nothing is known of them.

    Parameters
    ----------
    sample
        What was looked at.
    largest_error
        What a sample may be off by, in its units; None: it is not bounded.
    """
    if not sample.values:
        return None
    if len(sample.values) <= FEW:
        return f"{len(sample.values)} distinct values: classes or flags"
    if sample.is_labelled:
        return "its values are like names of objects: flat regions with any jump between them"
    if largest_error is not None and 2 * largest_error >= sample.high - sample.low:
        return f"an error of {largest_error:g} is half of its range or more ({sample.low:g} to {sample.high:g})"
    return None
