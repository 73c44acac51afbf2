"""The walk over the passes of the tiles of a piece: the reference of what the compiled twins do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.coding import Symbols, read_pass, write_pass
from tinc_codec.detail.contexts import UNIT, WEIGHTS, Map, Tile
from tinc_codec.detail.layout import Piece
from tinc_codec.detail.model import Model, magnitudes_of
from tinc_codec.detail.quantiser import Quantiser, Tally
from tinc_codec.stream.ans import PieceDecoder


@dataclass(frozen=True, eq=False)
class Step:
    """One pass of one tile."""

    tile: Tile
    number: int
    band: int
    place: tuple[int | slice, ...]
    """Of its coefficients in the band."""


def steps(model: Model, piece: Piece, numbers: NDArray[np.int32]) -> Iterator[Step]:
    """Every pass of a piece; its coefficients must be in `numbers` when the next one is asked for."""
    for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
        shape = tuple(end - begin for begin, end in box[1:])
        if not model.means[band] or 0 in shape:
            continue
        for t in range(*box[0]):
            maps, many = _maps(model, band, box, t, numbers)
            tile = Tile(shape, maps, many, model.weights, int(model.means[band]))
            mine = model.layout.view(numbers, band)[t][tuple(slice(*ends) for ends in box[1:])]
            yield from _passes(model, tile, band, (t, *(begin for begin, _ in box[1:])), mine)


def _passes(model: Model, tile: Tile, band: int, first: tuple[int, ...], mine: NDArray[np.int32]) -> Iterator[Step]:
    for number in range(8):
        members = tile.members(number)
        if not mine[members].size:
            continue
        ends = [begin + n for begin, n in zip(first[1:], mine.shape, strict=True)]
        rows = (slice(begin + m.start, end, 2) for begin, end, m in zip(first[1:], ends, members, strict=True))
        yield Step(tile, number, band, (first[0], *rows))
        tile.enter(number, magnitudes_of(mine, int(model.shifts[band])))


def _maps(
    model: Model, band: int, box: list[list[int]], t: int, numbers: NDArray[np.int32]
) -> tuple[list[Map | None], tuple[int, ...]]:
    """Maps of a band in a tile, and how many bands each is a sum of."""
    layout = model.layout
    *others, last = zip(layout.parents[band].tolist(), layout.halves.tolist(), strict=True)
    kinds = [[last], [(other, 0) for other in range(max(1, int(layout.first[band])), band)], others]
    maps: list[Map | None] = []
    many = []
    for kind in kinds:
        there = [(other, halved) for other, halved in kind if other >= 0 and layout.bands[other, 1:].all()]
        parts = [_cut(model, other, halved, box, t, numbers) for other, halved in there]
        cells = tuple((end - begin + 1) // 2 for begin, end in box[1:])
        maps.append(Map.of(sum(parts[1:], parts[0]), cells) if parts else None)
        many.append(len(parts))
    return maps, tuple(many)


def _cut(
    model: Model, band: int, halved: int, box: list[list[int]], t: int, numbers: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Magnitudes of a band at the places of a tile; bits 3 to 0 of `halved`: axes along which it is split once more."""
    where = [np.array([t]), *(np.arange(*ends) for ends in box[1:])]
    volume = model.layout.view(numbers, band)
    places = [
        np.minimum(index >> (halved >> (3 - axis) & 1), n - 1)
        for axis, (index, n) in enumerate(zip(where, volume.shape, strict=True))
    ]
    return magnitudes_of(volume[np.ix_(*places)][0], int(model.shifts[band]))


class Walker:
    """Whole passes at a time; see `tinc_codec.detail.work`."""

    def __init__(self, model: Model, numbers: NDArray[np.int32], known: bool = False) -> None:
        self._model, self._numbers = model, numbers

    def read(self, piece: Piece, code: bytes) -> None:
        """Decode a piece."""
        decoder = PieceDecoder(code)
        for step in steps(self._model, piece, self._numbers):
            classes = step.tile.classes(step.number)
            shift = int(self._model.shifts[step.band])
            found = read_pass(decoder, self._model.tables, classes.ravel(), shift)
            self._members(step)[...] = found.reshape(classes.shape)
        decoder.end()

    def write(self, piece: Piece) -> bytes:
        """Code of a piece."""
        symbols = Symbols()
        for step in steps(self._model, piece, self._numbers):
            mine = self._members(step).astype(np.int64).ravel()
            classes = step.tile.classes(step.number).ravel()
            write_pass(symbols, self._model.tables, classes, int(self._model.shifts[step.band]), mine)
        return symbols.code()

    def quantise(self, piece: Piece, quantiser: Quantiser) -> Tally:
        """Quantise the coefficients of a piece into the numbers."""
        tally = Tally.of(len(self._model.means))
        for step in steps(self._model, piece, self._numbers):
            classes = step.tile.classes(step.number)
            shift = int(self._model.shifts[step.band])
            mine = self._model.layout.view(quantiser.coefficients, step.band)[step.place]
            self._members(step)[...] = quantiser.numbers(mine, classes, step.band, shift, tally)
        return tally

    def gather(self, piece: Piece) -> NDArray[np.float64]:
        """The equations that weights are fitted by, of each pass: shape ``(8, WEIGHTS, WEIGHTS + 1)``."""
        normal = np.zeros((8, WEIGHTS, WEIGHTS + 1))
        for step in steps(self._model, piece, self._numbers):
            magnitudes = magnitudes_of(self._members(step), int(self._model.shifts[step.band])).ravel() / 16
            rows = np.stack([*step.tile.means(step.number, int(self._model.means[step.band])), magnitudes])
            guess = self._model.weights[step.number] @ rows[:-1] / UNIT
            normal[step.number] += rows[:-1] / (guess * (1 + guess) + 1e-4) @ rows.T
        return normal

    def _members(self, step: Step) -> NDArray[np.int32]:
        return self._model.layout.view(self._numbers, step.band)[step.place]
