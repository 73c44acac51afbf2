"""A residual coded: predictors fitted pass by pass, voxels quantised, and every tile written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.encoding.residual.fit import FITTED, fit
from tinc_codec.encoding.residual.lattices import Lattices, Tile
from tinc_codec.encoding.residual.volume import Volume, levels_of, tile_grid
from tinc_codec.residual import tokens
from tinc_codec.residual.interlace import Pass, passes, tile_bounds
from tinc_codec.residual.lattice import PassCoding, Quantiser
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
    """What one pass made of one tile: C order, coded voxels only."""

    expected: NDArray[np.float64]
    numbers: tokens.Split


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
    keys = [[contexts(record.expected, thresholds) for record in of_pass] for of_pass in records]
    tables = _tables(records, keys, len(thresholds) + 1)
    parameters = ResidualParameters(domain, start, grid, widths, tuple(models), thresholds, tables)
    codes = [b""] * len(tiles)

    def write(number: int) -> None:
        encoder = Encoder()
        for of_pass, key in zip(records, keys, strict=True):
            write_pass(encoder, parameters, key[number], of_pass[number].numbers)
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
) -> tuple[list[PassModel], list[list[_Record]], NDArray[np.float64]]:
    """The predictors of all passes, what each made of each tile, and the voxels."""
    lattices: Lattices | None = None
    models, records = [], []
    for before, step in zip((None, *steps), steps, strict=False):
        if lattices is None or before is None or before.level != step.level:
            lattices = Lattices(tiles, step, lattices)
        model = fit(step, lattices.sample(step, fitted), quantiser.width, top)
        models.append(model)
        records.append(_pass(PassCoding(step, model, quantiser, top), tiles, lattices))
    values = np.empty([place.stop for place in tiles[-1].place])
    assert lattices is not None
    for tile, lattice in zip(tiles, lattices.each, strict=True):
        values[tile.place] = lattice.inner(lattice.values)
    return models, records, values


def _pass(coding: PassCoding, tiles: list[Tile], lattices: Lattices) -> list[_Record]:
    """Code a pass in every tile."""
    nothing = _Record(np.zeros(0), tokens.split(np.zeros(0, np.int64)))
    records = [nothing] * len(tiles)

    def code(number: int) -> None:
        target, inside = tiles[number].target_of(coding.step), tiles[number].inside(coding.step)
        if target.size:
            expected, numbers = backend().code_pass(coding, lattices.each[number], target, inside)
            if inside is not None:
                chosen = inside.ravel()
                expected, numbers = expected[chosen], numbers[chosen]
            records[number] = _Record(expected, tokens.split(tokens.zigzag(numbers)))

    spread(code, range(len(tiles)))
    return records


def _thresholds(records: list[list[_Record]]) -> NDArray[np.int64]:
    """Thresholds of the contexts, at quantiles of the expected error."""
    count = sum(len(record.expected) for of_pass in records for record in of_pass)
    every = -(-count // _COMPARED) or 1
    expected = np.concatenate([record.expected[::every] for of_pass in records for record in of_pass])
    many = min(CONTEXTS, MOST_CONTEXTS, max(1, count // VOXELS_PER_CONTEXT))
    inner = np.quantile(expected, np.arange(1, many) / many) if len(expected) else np.zeros(0)
    return np.unique(np.clip(np.ceil(inner), 0, 2**53)).astype(np.int64)


def _tables(records: list[list[_Record]], keys: list[list[NDArray[np.uint8]]], many: int) -> tuple[bytes, ...]:
    """Each context's frequencies of tokens."""
    counts = np.zeros((many, tokens.MOST_TOKENS), np.int64)
    for of_pass, key in zip(records, keys, strict=True):
        for record, context in zip(of_pass, key, strict=True):
            both = context.astype(np.int64) * tokens.MOST_TOKENS + record.numbers.tokens
            counts += np.bincount(both, minlength=counts.size).reshape(counts.shape)
    return tuple(tokens.frequencies(row) for row in counts)
