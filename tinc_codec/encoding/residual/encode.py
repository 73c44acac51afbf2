"""A residual coded: predictors fitted pass by pass, voxels quantised, and every tile written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.encoding.residual.fit import FITTED, Sample, fit
from tinc_codec.encoding.residual.volume import Volume, levels_of, tile_grid
from tinc_codec.residual import tokens
from tinc_codec.residual.classified import Classified
from tinc_codec.residual.integer_domain import IntegerDomain
from tinc_codec.residual.interlace import passes, tile_bounds
from tinc_codec.residual.lattice import Coded, PassCoding, Quantiser
from tinc_codec.residual.lattices import Lattices, Members, Tile
from tinc_codec.residual.prediction import PassModel
from tinc_codec.residual.section import MOST_CONTEXTS, ResidualParameters, pack
from tinc_codec.residual.tiles import write_pass
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.threads import spread
from tinc_codec.stream.entropy import Encoder

CONTEXTS = 24
VOXELS_PER_CONTEXT = 1500

_COMPARED = 2**17
"""Voxels that the thresholds of contexts are found on."""


@dataclass(frozen=True, eq=False)
class Residual:
    """A coded residual.

    Parameters
    ----------
    section
        The section's payload.
    values
        What its decoder gives, integers of the domain.
    """

    section: bytes
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Record:
    """What a pass made of its coded voxels, tile after tile, each in C order.

    Parameters
    ----------
    expected, steps
        See `Coded`.
    ends
        Where each tile's begin, and where the last one's end.
    """

    expected: NDArray[np.float64]
    steps: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, coded: Coded, members: Members) -> _Record:
        """Those of the members that are coded."""
        expected, steps, ends, inside = *coded, members.ends, members.inside
        if inside is not None:
            expected, steps = expected[inside], steps[inside]
            ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside)])[ends]
        return cls(expected, steps, ends)

    def tile(self, number: int, all_tiles: Classified) -> tuple[NDArray[np.uint8], tokens.Split]:
        """Contexts and numbers of a tile's voxels."""
        place, (token, size, extra) = slice(self.ends[number], self.ends[number + 1]), all_tiles.numbers
        return all_tiles.contexts[place], tokens.Split(token[place], size[place], extra[place])


def encode(volume: Volume, quantiser: Quantiser, fitted: int = FITTED) -> Residual:
    """Code a volume.

    Parameters
    ----------
    volume
        What to code.
    quantiser
        With `rounding` 0.5 no coded voxel differs by more than half of `width`.
    fitted
        Voxels of a pass that its predictor is fitted to, at most.
    """
    shape, domain = volume.values.shape, volume.domain
    grid = tile_grid(shape)
    start = 0 if volume.model is not None else volume.middle
    tiles = [tile_of(volume, start, place) for place in tile_bounds(shape, grid)]
    coded = coded_passes(tiles, levels_of(shape, grid), quantiser, domain.top, fitted)
    records, classified = coded.records, coded.classified
    parameters = coded.parameters(domain, start, grid, quantiser.width)
    values = np.empty(shape)
    for tile, lattice in zip(tiles, coded.lattices.each, strict=True):
        values[tile.place] = lattice.inner(lattice.values)
    codes = [b""] * len(tiles)

    def write(number: int) -> None:
        encoder = Encoder()
        for record, each in zip(records, classified, strict=True):
            write_pass(encoder, parameters, *record.tile(number, each))
        codes[number] = _trimmed(encoder.bytes())

    spread(write, range(len(tiles)))
    return Residual(pack(parameters, codes), values)


def _trimmed(code: bytes) -> bytes:
    """A code without the words of zeros at its end, which a decoder reads there anyway."""
    return code[: -(-len(code.rstrip(b"\0")) // 4) * 4]


def tile_of(volume: Volume, start: int, place: tuple[slice, ...]) -> Tile:
    """A part of a volume; `start` is what it is predicted to be where there is no model."""
    target = volume.values[place]
    if volume.model is None:  # the same everywhere, in no memory
        base = np.broadcast_to(np.float64(start), target.shape)
    else:
        base = volume.domain.from_samples(volume.model[place])
    return Tile(place, base, target, None if volume.mask is None else volume.mask[place])


@dataclass(frozen=True, eq=False)
class PassesCoded:
    """What tiles were coded as.

    Parameters
    ----------
    models, records
        The predictors of all passes, and what each made of its voxels.
    lattices
        The finest ones.
    levels
        How many there are above these.
    """

    models: tuple[PassModel, ...]
    records: list[_Record]
    lattices: Lattices
    levels: int

    def parameters(self, domain: IntegerDomain, start: int, tiles: tuple[int, ...], width: int) -> ResidualParameters:
        """What the section of a residual of these begins with; all levels are quantised alike."""
        widths = (width,) * (self.levels + 1)
        return ResidualParameters(domain, start, tiles, widths, self.models, self.thresholds, self.tables)

    @lazy
    def thresholds(self) -> NDArray[np.int64]:
        """Thresholds of the contexts, at quantiles of the expected error."""
        count = sum(len(record.expected) for record in self.records)
        every = -(-count // _COMPARED) or 1
        expected = np.concatenate([record.expected[::every] for record in self.records])
        many = min(CONTEXTS, MOST_CONTEXTS, max(1, count // VOXELS_PER_CONTEXT))
        inner = np.quantile(expected, np.arange(1, many) / many) if len(expected) else np.zeros(0)
        return np.unique(np.clip(np.ceil(inner), 0, 2**53)).astype(np.int64)

    @lazy
    def classified(self) -> list[Classified]:
        """What all voxels are coded as, pass by pass."""
        return [backend().classified(each.expected, each.steps, self.thresholds) for each in self.records]

    @lazy
    def counts(self) -> NDArray[np.int64]:
        """How often each token comes in each context."""
        return np.asarray(np.sum([each.counts for each in self.classified], axis=0))

    @lazy
    def tables(self) -> tuple[bytes, ...]:
        """Frequencies of the tokens of each context."""
        return tuple(tokens.frequencies(row) for row in self.counts)


def coded_passes(tiles: list[Tile], levels: int, quantiser: Quantiser, top: int, fitted: int) -> PassesCoded:
    """Code tiles, pass by pass."""
    lattices, records = None, []
    models: list[PassModel] = []
    for step in passes(tiles[0].target.ndim, levels):
        if lattices is None or lattices.level != step.level:
            lattices, coarser = Lattices(tiles, step), lattices
            if coarser is not None:
                backend().take(lattices, coarser)
        members = lattices.members(step)
        models.append(fit(step, lattices, Sample.of(lattices, members, fitted), quantiser.width, top))
        coded = backend().code_pass(PassCoding(step, models[-1], quantiser, top), lattices, members)
        records.append(_Record.of(coded, members))
    assert lattices is not None
    return PassesCoded(tuple(models), records, lattices, levels)
