"""Samples from a section: all of them, a box, or a coarser level; nothing is decoded that is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail import levels as means
from tinc_codec.detail import packet
from tinc_codec.detail.joining import Joining, needed
from tinc_codec.detail.layout import Layout, layout
from tinc_codec.detail.model import Model
from tinc_codec.detail.numbers import Numbers
from tinc_codec.detail.plan import AXES, Box, lengths
from tinc_codec.detail.samples import unrounded
from tinc_codec.detail.section import Parameters, unpack
from tinc_codec.detail.work import Work
from tinc_codec.errors import SelectionError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream.fields import FieldReader


@dataclass(frozen=True, eq=False)
class Detail:
    """A parsed section; what is decoded of it is kept.

    Parameters
    ----------
    shape
        Of the chunk, 1 to 4 axes.
    parameters
        What is common to its pieces.
    codes
        Of each piece.
    work
        Who decodes them.
    """

    shape: tuple[int, ...]
    parameters: Parameters
    codes: tuple[bytes, ...]
    work: Work

    @classmethod
    def parse(cls, section: bytes, shape: tuple[int, ...], work: Work) -> Detail:
        """Parse a section; work and memory are bounded by its size and that of the chunk.

        Raises
        ------
        CorruptStreamError
            No encoder wrote it.
        """
        parameters, codes = unpack(FieldReader(section, "the section of coefficients"), shape)
        return cls(shape, parameters, tuple(codes), work)

    @property
    def nbytes(self) -> int:
        """Memory in bytes, which grows with the first read; decoding all takes 20 bytes a voxel more meanwhile."""
        return sum(map(len, self.codes)) + 64 * len(self.codes) + 4096 + self._numbers.nbytes

    @lazy
    def _numbers(self) -> Numbers:
        return Numbers(self._model, self.codes, self.work)

    @lazy
    def _model(self) -> Model:
        """What the pieces are coded with."""
        p = self.parameters
        return Model(layout(p.plan), p.weights, p.mean_values, p.shifts, p.tables)

    @property
    def layout(self) -> Layout:
        """Where its numbers lie."""
        return self._model.layout

    def numbers(self) -> NDArray[np.int32]:
        """All numbers, see `layout`."""
        return self._numbers.of(range(len(self.codes)))

    def samples(self, integers: NDArray[np.int32]) -> NDArray[np.float64]:
        """Samples of what the other methods give, in floats; see `tinc_codec.detail.samples.unrounded`."""
        return unrounded(integers, self.parameters.scale)

    def whole(self) -> NDArray[np.int32]:
        """All samples, as integers of the scale."""
        return self.box(tuple((0, n) for n in self.shape))

    def level(self, level: tuple[int, ...]) -> NDArray[np.int32]:
        """Means over about 2^k samples along each axis, k of `level`: as many as there are cells of that size."""
        return self.box(tuple((0, lengths(n, k)[-1]) for n, k in zip(self.shape, level, strict=True)), level)

    def box(self, box: Box, level: tuple[int, ...] = ()) -> NDArray[np.int32]:
        """A box of samples, the same integers as of all.

        Parameters
        ----------
        box
            Begin and end along each axis of the level's grid.
        level
            Of each axis, see `level`; empty: 0.

        Raises
        ------
        SelectionError
            The box lies outside.
        """
        plan = self.parameters.plan
        level = level or (0,) * len(self.shape)
        self._check(box, level)
        inner = ((0, 1),) * (AXES - len(box)) + tuple(box)
        levels = [0] * (AXES - len(box)) + [k if n > 1 else 0 for n, k in zip(self.shape, level, strict=True)]
        stop = plan.stop(levels)
        missing = [
            k - stop[plan.group_of(axis)] if n > 1 else 0
            for axis, (n, k) in enumerate(zip(plan.shape, levels, strict=True))
        ]
        ends, had = [], []
        for axis, (n, k, more) in enumerate(zip(plan.shape, levels, missing, strict=True)):
            length = lengths(n, k - more)[-1]
            ends.append(means.cells(inner[axis], length, more))
            had.append(means.widened(ends[axis], length, k - more))
        joining = Joining(plan, packet.ranges(plan, tuple(had), stop), stop)
        low = self.work.inverse(self._numbers.of(needed(joining)), joining, self.parameters.scale)
        for axis, (n, k, more) in enumerate(zip(plan.shape, levels, missing, strict=True)):
            low = means.centred(low, axis, ends[axis], had[axis], n, k - more)
            low = means.halved(low, axis, more)
        return means.scaled(low, self._splits(stop)).reshape([end - begin for begin, end in box])

    def describe(self) -> dict[str, Any]:
        """For `inspect`: the plan, and the bytes of its pieces."""
        plan = self.parameters.plan
        parts = layout(plan)
        rungs = {
            "x".join(map(str, rung.levels)): sum(len(self.codes[n]) for n in parts.numbers[place].ravel().tolist())
            for place, rung in enumerate(plan.rungs)
            if place >= plan.coarse
        }
        return {
            "groups": [{"axes": list(group.axes), "depth": group.depth} for group in plan.groups],
            "tile": plan.tile,
            "bands": len(plan.bands),
            "pieces": len(self.codes),
            "step": self.parameters.scale.sample_step,
            "bytes": {"coarse": len(self.codes[0]), **rungs},
        }

    def _check(self, box: Box, level: tuple[int, ...]) -> None:
        fits = len(level) == len(self.shape) and all(0 <= k < 64 for k in level)
        grid = [lengths(n, k)[-1] for n, k in zip(self.shape, level, strict=True)] if fits else []
        if len(box) != len(grid) or not all(0 <= begin < end <= n for (begin, end), n in zip(box, grid, strict=True)):
            raise SelectionError(f"box {box} at level {level} of a chunk of shape {self.shape}")

    def _splits(self, stop: tuple[int, ...]) -> int:
        """Low halves, of what was longer than 1, that are left where groups are joined down to `stop`."""
        plan = self.parameters.plan
        return sum(
            sum(n > 1 for n in lengths(plan.shape[axis], stop[plan.group_of(axis)])[:-1]) for axis in range(AXES)
        )
