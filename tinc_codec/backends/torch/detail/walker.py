"""Pieces of a chunk on a torch device, those that are alike at once: what `tinc_codec.detail.walk` does one by one."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.torch.detail.batches import Batch, batches, looked_at
from tinc_codec.backends.torch.detail.contexts import Frame, Map, Tiles, frame
from tinc_codec.backends.torch.detail.quantising import Quantising
from tinc_codec.backends.torch.detail.ways import Kernels, Operations, Way
from tinc_codec.detail.contexts import MAGNITUDES, UNIT, WEIGHTS
from tinc_codec.detail.model import Model
from tinc_codec.detail.quantiser import Quantiser, Tally
from tinc_codec.detail.sample import Sample
from tinc_codec.detail.work import Work
from tinc_codec.runtime.lazy import lazy

log = logging.getLogger("tinc_codec")


@dataclass(frozen=True, eq=False)
class _Run:
    """The boxes of one band in a batch.

    Parameters
    ----------
    band
        Its number.
    lengths
        Of a box.
    begins
        Where each begins, on the device, ``(pieces, AXES)``.
    frame
        Tables of its frames.
    """

    band: int
    lengths: tuple[int, ...]
    begins: Array
    frame: Frame

    @property
    def frames(self) -> int:
        """Of all boxes."""
        return len(self.begins) * self.lengths[0]

    def places(self, shape: tuple[int, ...]) -> Array:
        """Where their coefficients lie in the band, of `shape`, ``(frames, ...)``."""
        along = [torch.arange(n, device=self.begins.device) for n in self.lengths]
        axes = [self.begins[:, axis, None] + each for axis, each in enumerate(along)]
        return _flat(shape, axes, [(0, 1), (0, 2), (0, 3), (0, 4)], 5).flatten(0, 1)

    def spread(self, shape: tuple[int, ...], halved: int) -> Array:
        """Where another band, of `shape`, has magnitudes over the cells, ``(2, 2, 2, frames, cells + 2, ...)``.

        Parameters
        ----------
        halved
            Bits 3 to 0: axes along which that band is split once more than this one.
        """
        if (shape, halved) not in self._spread:  # bands of a rung are mostly of one shape
            ends = [(halved >> (3 - axis) & 1, n - 1) for axis, n in enumerate(shape)]
            axes = [torch.clamp(each >> by, max=last) for each, (by, last) in zip(self._axes, ends, strict=True)]
            # (pieces, parity, cells) of each axis at (parity, parity, parity, pieces, frames, cells, cells, cells)
            places = _flat(shape, axes, [(3, 4), (3, 0, 5), (3, 1, 6), (3, 2, 7)], 8)
            self._spread[shape, halved] = places.flatten(3, 4)
        return self._spread[shape, halved]

    @lazy
    def _spread(self) -> dict[tuple[tuple[int, ...], int], Array]:
        return {}

    @lazy
    def _axes(self) -> list[Array]:
        """Frames, and coefficients of each parity in the cells along the other axes."""
        frames = self.begins[:, 0, None] + torch.arange(self.lengths[0], device=self.begins.device)
        return [frames, *(self.begins[:, axis, None, None] + self.frame.spread[axis - 1] for axis in (1, 2, 3))]


def _flat(shape: tuple[int, ...], axes: list[Array], places: list[tuple[int, ...]], dimensions: int) -> Array:
    """Places in a band, flat, from those along each axis.

    Parameters
    ----------
    places
        Which dimensions of the result the dimensions of each axis' places are.
    """
    parts = []
    for axis, (along, dims) in enumerate(zip(axes, places, strict=True)):
        order = sorted(range(len(dims)), key=dims.__getitem__)
        size = [1] * dimensions
        for dimension, n in zip(dims, along.shape, strict=True):
            size[dimension] = n
        parts.append((along * math.prod(shape[axis + 1 :])).permute(order).reshape(size))
    frames, *cells = parts
    total: Array = ((frames + cells[0]) + cells[1]) + cells[2]
    return total


_LOOKED_AT = 3
"""One of so many coefficients is looked at where kernels are tried."""

proofs: dict[torch.device, bool] = {}
"""Of devices, whether kernels have done there what tensor operations do."""


class Walker:
    """See `tinc_codec.detail.work.Coder`.

    Parameters
    ----------
    model
        What the pieces are coded with.
    numbers, magnitudes
        Of all coefficients, int32 and uint8 on the device; see `tinc_codec.detail.work.Work.walker`.
    host
        Who writes what was quantised.
    kernels
        Whether kernels quantise passes, once they have given on this device what tensor operations give.
    """

    def __init__(
        self, model: Model, numbers: Array, magnitudes: Array | None, host: Work, kernels: bool = False
    ) -> None:
        self._model, self._numbers, self._host, self._kernels = model, numbers, host, kernels
        self.magnitudes = torch.zeros_like(numbers, dtype=torch.uint8) if magnitudes is None else magnitudes
        self._counts = torch.from_numpy(MAGNITUDES).to(numbers.device)
        self._way: Way = Kernels() if kernels and proofs.get(numbers.device) else Operations()

    def tally(self, sample: Sample, quantiser: Quantiser) -> Tally:
        """Quantise some pieces into the numbers, which are 0 before."""
        tally = self._tally(sample, quantiser)
        if self._kernels and self._numbers.device not in proofs:
            proofs[self._numbers.device] = self._proved(sample, quantiser, tally)
        return tally

    def _proved(self, sample: Sample, quantiser: Quantiser, tally: Tally) -> bool:
        """Whether kernels do what tensor operations did: no test has seen them on the device where they run."""
        try:
            why = "" if self._alike(sample, quantiser, tally) else "give other numbers than tensor operations"
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a compiler or driver has against them
            why = f"fail ({type(error).__name__}: {error})"
        if why:
            log.warning("kernels %s on %s: tensor operations quantise there", why, self._numbers.device)
        return not why

    def _alike(self, sample: Sample, quantiser: Quantiser, tally: Tally) -> bool:
        twin = Walker(self._model, torch.zeros_like(self._numbers), None, self._host)
        twin._way = Kernels()
        other = twin._tally(sample, quantiser)
        same = torch.equal(self._numbers, twin._numbers) and torch.equal(self.magnitudes, twin.magnitudes)
        rows, others = (walker.equations(sample, _LOOKED_AT) for walker in (self, twin))
        return same and np.array_equal(tally.histogram, other.histogram) and np.allclose(rows, others)

    def _tally(self, sample: Sample, quantiser: Quantiser) -> Tally:
        quantising = Quantising(quantiser, len(self._model.means), self._numbers.device)
        for batch in batches(sample):
            for run in self._runs(batch):
                self._quantise(run, quantising, batch.weight)
        return quantising.tally()

    def equations(self, sample: Sample, every: int = 1) -> NDArray[np.float64]:
        """The equations that weights are fitted by."""
        normal = torch.zeros((8, WEIGHTS, WEIGHTS + 1), dtype=torch.float64, device=self._numbers.device)
        weights = torch.from_numpy(self._model.weights / UNIT).to(normal)
        for batch in batches(sample):
            for run in self._runs(batch):
                self._gather(run, every, weights, batch.weight, normal)
        return normal.cpu().numpy()

    def codes(self) -> list[bytes]:
        """Code of every piece, by the host."""
        numbers, magnitudes = (values.cpu().numpy() for values in (self._numbers, self.magnitudes))
        return self._host.walker(self._model, numbers, magnitudes).codes()

    def _runs(self, batch: Batch) -> Iterator[_Run]:
        begins = torch.from_numpy(batch.begins).to(self._numbers.device)
        for band, lengths, there in zip(batch.bands, batch.lengths, begins, strict=True):
            if self._model.means[band] and all(lengths):
                yield _Run(band, lengths, there, frame(lengths[1:], self._numbers.device))

    def _quantise(self, run: _Run, quantising: Quantising, weight: float) -> None:
        places = run.places(self._shape(run.band))
        coefficients = self._flat(quantising.coefficients, run.band)[places]
        band = quantising.band(run.band, int(self._model.shifts[run.band]), coefficients)
        magnitudes = self._way.quantise(self._tiles(run), band, self._counts)
        band.count(weight)
        self._flat(self._numbers, run.band)[places] = band.numbers
        self._flat(self.magnitudes, run.band)[places] = magnitudes

    def _shape(self, band: int) -> tuple[int, ...]:
        return tuple(self._model.layout.bands[band, 1:].tolist())

    def _flat(self, values: Array, band: int) -> Array:
        """What is a band's of all."""
        offset, *shape = self._model.layout.bands[band].tolist()
        return values[offset : offset + math.prod(shape)]

    def _gather(self, run: _Run, every: int, weights: Array, weight: float, normal: Array) -> None:
        tiles = self._tiles(run)
        magnitudes = self._flat(self.magnitudes, run.band)[run.places(self._shape(run.band))]
        together = int(self._model.layout.frames[run.band])
        for number, parity, means in self._way.means(tiles, magnitudes):
            mine = magnitudes[run.frame.members(parity)]
            rows = torch.cat([means, mine.reshape(1, -1) / 16.0])
            if every > 1:
                chosen = looked_at(run.lengths[0], together, mine[0].numel(), every)
                some = torch.from_numpy(chosen).to(rows.device)
                rows = rows.view(len(rows), len(run.begins), -1).index_select(2, some).flatten(1)
            known = rows[:-1]
            guess = weights[number] @ known
            normal[number] += (known * (weight / (guess * (1 + guess) + 1e-4))) @ rows.T

    def _tiles(self, run: _Run) -> Tiles:
        """Tiles of a band, with what other bands say of them."""
        layout, band = self._model.layout, run.band
        *others, last = zip(layout.parents[band].tolist(), layout.halves.tolist(), strict=True)
        kinds = [[last], [(other, 0) for other in range(max(1, int(layout.first[band])), band)], others]
        maps: list[Map | None] = []
        many = []
        for kind in kinds:
            there = [(other, halved) for other, halved in kind if other >= 0 and layout.bands[other, 1:].all()]
            maps.append(self._map(run, there) if there else None)
            many.append(len(there))
        return Tiles(run.frame, run.frames, maps, tuple(many), self._model, band)

    def _map(self, run: _Run, bands: Sequence[tuple[int, int]]) -> Map:
        """What some bands say together; of each its number, and along which axes it is halved."""
        places = [(other, run.spread(self._shape(other), halved)) for other, halved in bands]
        first, *rest = (self._flat(self.magnitudes, other)[there] for other, there in places)
        lattices = first.int()
        for part in rest:
            lattices += part
        return Map.of(run.frame, lattices, self._way.wide)
