"""A residual coded: predictors fitted pass by pass, voxels quantised, and every tile written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.encoding.residual.fit import FITTED, Sample, fit
from tinc_codec.encoding.residual.volume import Volume, levels_of, tile_grid
from tinc_codec.residual import tokens
from tinc_codec.residual.interlace import Pass, passes, tile_bounds
from tinc_codec.residual.lattice import Coded, PassCoding, Quantiser
from tinc_codec.residual.lattices import Lattices, Members, Tile
from tinc_codec.residual.prediction import PassModel
from tinc_codec.residual.section import MOST_CONTEXTS, ResidualParameters, pack
from tinc_codec.residual.tiles import base_of, contexts, write_pass
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
    ends
        Where each tile's begin, and where the last one's end.
    """

    expected: NDArray[np.float64]
    numbers: tokens.Split
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, coded: Coded, members: Members) -> _Record:
        """Those of the members that are coded."""
        expected, steps, ends, inside = *coded, members.ends, members.inside
        if inside is not None:
            expected, steps = expected[inside], steps[inside]
            ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside)])[ends]
        return cls(expected, tokens.split(tokens.zigzag(steps)), ends)

    def tile(self, number: int, context: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tokens.Split]:
        """Contexts and numbers of a tile's voxels, from the contexts of all."""
        place = slice(self.ends[number], self.ends[number + 1])
        token, size, extra = self.numbers
        return context[place], tokens.Split(token[place], size[place], extra[place])


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
    widths = (quantiser.width,) * (levels_of(shape, grid) + 1)
    start = 0 if volume.model is not None else volume.middle
    blank = ResidualParameters(domain, start, grid, widths, (), np.zeros(0, np.int64), ())
    tiles = [_tile(volume, blank, place) for place in tile_bounds(shape, grid)]
    steps = passes(len(shape), len(widths) - 1)
    models, records, values = _coded(tiles, steps, quantiser, domain.top, fitted)
    thresholds = _thresholds(records)
    keys = [contexts(record.expected, thresholds) for record in records]
    tables = _tables(records, keys, len(thresholds) + 1)
    parameters = ResidualParameters(domain, start, grid, widths, tuple(models), thresholds, tables)
    codes = [b""] * len(tiles)

    def write(number: int) -> None:
        encoder = Encoder()
        for record, key in zip(records, keys, strict=True):
            write_pass(encoder, parameters, *record.tile(number, key))
        codes[number] = _trimmed(encoder.bytes())

    spread(write, range(len(tiles)))
    return Residual(pack(parameters, codes), values)


def _trimmed(code: bytes) -> bytes:
    """A code without the words of zeros at its end, which a decoder reads there anyway."""
    return code[: -(-len(code.rstrip(b"\0")) // 4) * 4]


def _tile(volume: Volume, parameters: ResidualParameters, place: tuple[slice, ...]) -> Tile:
    target = volume.values[place]
    if volume.model is None:  # the same everywhere, in no memory
        base = np.broadcast_to(np.float64(parameters.start), target.shape)
    else:
        base = base_of(parameters, target.shape, volume.model[place])
    return Tile(place, base, target, None if volume.mask is None else volume.mask[place])


def _coded(
    tiles: list[Tile], steps: tuple[Pass, ...], quantiser: Quantiser, top: int, fitted: int
) -> tuple[list[PassModel], list[_Record], NDArray[np.float64]]:
    """The predictors of all passes, what each made of its voxels, and the voxels."""
    lattices: Lattices | None = None
    models, records = [], []
    for before, step in zip((None, *steps), steps, strict=False):
        if lattices is None or before is None or before.level != step.level:
            lattices = Lattices(tiles, step, lattices)
        members = lattices.members(step)
        model = fit(step, lattices, Sample.of(lattices, members, fitted), quantiser.width, top)
        models.append(model)
        coded = backend().code_pass(PassCoding(step, model, quantiser, top), lattices, members)
        records.append(_Record.of(coded, members))
    values = np.empty([place.stop for place in tiles[-1].place])
    assert lattices is not None
    for tile, lattice in zip(tiles, lattices.each, strict=True):
        values[tile.place] = lattice.inner(lattice.values)
    return models, records, values


def _thresholds(records: list[_Record]) -> NDArray[np.int64]:
    """Thresholds of the contexts, at quantiles of the expected error."""
    count = sum(len(record.expected) for record in records)
    every = -(-count // _COMPARED) or 1
    expected = np.concatenate([record.expected[::every] for record in records])
    many = min(CONTEXTS, MOST_CONTEXTS, max(1, count // VOXELS_PER_CONTEXT))
    inner = np.quantile(expected, np.arange(1, many) / many) if len(expected) else np.zeros(0)
    return np.unique(np.clip(np.ceil(inner), 0, 2**53)).astype(np.int64)


def _tables(records: list[_Record], keys: list[NDArray[np.uint8]], many: int) -> tuple[bytes, ...]:
    """Each context's frequencies of tokens."""
    counts = np.zeros((many, tokens.MOST_TOKENS), np.int64)
    for record, context in zip(records, keys, strict=True):
        both = context.astype(np.int64) * tokens.MOST_TOKENS + record.numbers.tokens
        counts += np.bincount(both, minlength=counts.size).reshape(counts.shape)
    return tuple(tokens.frequencies(row) for row in counts)
