"""Coefficients of a wavelet packet: the deepest level of the tree, alone or on top of the sine layers above it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.decoding.interpolation import at_points
from tinc_codec.decoding.predictors.protocol import Description, Predictor
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.samples import to_dtype
from tinc_codec.runtime.threads import evenly
from tinc_codec.stream.container import Container, Section
from tinc_codec.tree.runs import Positions

_BLOCK = 2**14
"""Samples that threads share by."""

_WORTH = 2**17
"""Samples that are worth a thread."""

_APART = 16
"""Voxels between indices from which what lies between them is not decoded with them."""

_MOST_BOXES = 64
_CELL = 32
"""Voxels of the blocks, along each axis, that points are gathered in."""

Box = tuple[tuple[int, int], ...]


def pack_range(low: Any, high: Any) -> bytes:
    """What stands before the coefficients in their section: the range that samples are clipped to."""
    limits = np.array([low, high])
    return limits.astype(limits.dtype.newbyteorder("<")).tobytes()


class DetailPredictor:
    """Samples of coefficients, added to those of the levels above where there are any.

    Parameters
    ----------
    detail
        The parsed section.
    low, high
        Range of the samples.
    above
        What the shallow levels predict; None: there are none.
    """

    def __init__(self, detail: Detail, low: Any, high: Any, above: Predictor | None = None) -> None:
        self.detail, self.low, self.high, self.above = detail, low, high, above

    @classmethod
    def parse(cls, container: Container, shape: tuple[int, ...]) -> Self:
        """Read the coefficients of a chunk whose folded shape is `shape`; there is nothing above them."""
        return cls(*_section(container, shape))

    @classmethod
    def parse_sum(cls, container: Container, shape: tuple[int, ...]) -> Self:
        """The same, on top of a sine tree."""
        return cls(*_section(container, shape), SineTree.parse(container, shape))

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.detail.nbytes + (0 if self.above is None else self.above.nbytes)

    def whole(self) -> NDArray[Any]:
        """All samples."""
        return self._samples(self.detail.whole(), None if self.above is None else self.above.whole())

    def at_product(self, positions: Sequence[Positions]) -> NDArray[Any]:
        """Samples at the product of whole positions along each axis; pieces that none of them reaches stay coded."""
        indices = [np.asarray(along, np.int64) for along in positions]
        parts = [_runs(along) for along in indices]
        if math.prod(map(len, parts)) > _MOST_BOXES:
            parts = [[np.arange(len(along))] for along in indices]
        integers = np.empty([len(along) for along in indices], np.int32)
        for places in _products(parts):
            inside = [along[place] for along, place in zip(indices, places, strict=True)]
            box = tuple((int(along.min()), int(along.max()) + 1) for along in inside)
            cut = np.ix_(*(along - begin for along, (begin, _) in zip(inside, box, strict=True)))
            integers[np.ix_(*places)] = self.detail.box(box)[cut]
        return self._samples(integers, None if self.above is None else self.above.at_product(positions))

    def at_points(self, positions: Positions) -> NDArray[Any]:
        """Samples at single positions, ``(axes, points)``; between voxels, interpolated linearly."""
        whole = np.floor(positions + 0.5).astype(np.int64)
        if np.array_equal(whole, positions):
            return self._at_voxels(whole)

        def read(voxels: tuple[NDArray[np.int64], ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
            values = self._at_voxels(np.stack(voxels)).astype(np.float64)
            return values, np.isfinite(values)

        between = at_points(read, np.asarray(positions, np.float64), self.detail.shape)
        return to_dtype(np.nan_to_num(between), self.low.dtype)  # none is a number only where no encoder wrote them

    def at_level(self, level: tuple[int, ...], centres: Sequence[Positions]) -> NDArray[Any]:
        """Means over the cells: the inverse transform is stopped before them."""
        grid = tuple((0, -(-n // 2**k)) for n, k in zip(self.detail.shape, level, strict=True))
        integers = self.detail.box(grid, level)
        for axis, (k, along) in enumerate(zip(level, centres, strict=True)):
            if not k:  # rows of axes that are merged: what lies between them is no voxel
                integers = np.take(integers, np.floor(np.asarray(along) + 0.5).astype(np.int64), axis)
        return self._samples(integers, None if self.above is None else self.above.at_level(level, centres))

    def describe(self) -> Description:
        """What lies above, and the plan."""
        if self.above is None:
            return Description("detail", detail=self.detail.describe())
        tree = self.above.describe()
        return Description(
            f"{tree.name} and detail", tree.levels, tree.leaf_shape, tree.parameters, self.detail.describe()
        )

    def _samples(self, integers: NDArray[np.int32], above: NDArray[Any] | None) -> NDArray[Any]:
        samples = np.empty(integers.shape, self.low.dtype)
        flat, rest, out = integers.reshape(-1), None if above is None else above.reshape(-1), samples.reshape(-1)

        def some(begin: int, end: int) -> None:
            here = slice(begin * _BLOCK, end * _BLOCK)
            part = None if rest is None else rest[here]
            self.detail.work.samples(flat[here], part, self.detail.parameters.scale, self.low, self.high, out[here])

        evenly(some, -(-flat.size // _BLOCK), _BLOCK, _WORTH)
        return samples

    def _at_voxels(self, voxels: NDArray[np.int64]) -> NDArray[Any]:
        _, cell = np.unique(voxels // _CELL, axis=1, return_inverse=True)
        order = np.argsort(cell.ravel(), kind="stable")
        samples = np.empty(voxels.shape[1], self.low.dtype)
        if not len(samples):
            return samples
        for inside in np.split(order, np.flatnonzero(np.diff(cell.ravel()[order])) + 1):
            box = tuple((int(along.min()), int(along.max()) + 1) for along in voxels[:, inside])
            begins = np.array([begin for begin, _ in box])
            integers = self.detail.box(box)[tuple(voxels[:, inside] - begins[:, None])]
            above = None if self.above is None else self.above.at_points(voxels[:, inside])
            samples[inside] = self._samples(integers, above)
        return samples


def _section(container: Container, shape: tuple[int, ...]) -> tuple[Detail, Any, Any]:
    section, dtype = container.section(Section.DETAIL), container.header.dtype.newbyteorder("=")
    low, high = np.frombuffer(section.raw(2 * dtype.itemsize), dtype.newbyteorder("<")).astype(dtype)
    if 0 in shape:
        section.fail("coefficients of no samples")
    if not low <= high:  # NaN, too
        section.fail(f"samples from {low} to {high}")
    return Detail.parse(section.raw(section.remaining), shape, backend().detail), low, high


def _runs(indices: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Places of indices that lie together, ascending: where the next one is far off, another run begins."""
    order = np.argsort(indices, kind="stable")
    gaps = np.flatnonzero(np.diff(indices[order]) > _APART) + 1
    return np.split(order, gaps)


def _products(parts: list[list[NDArray[np.intp]]]) -> Iterator[list[NDArray[np.intp]]]:
    for choice in np.ndindex(*map(len, parts)):
        yield [runs[number] for runs, number in zip(parts, choice, strict=True)]
