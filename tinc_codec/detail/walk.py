"""The walk over the passes of the tiles of a piece: the reference of what the compiled twins do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.bits import Reader, Writer
from tinc_codec.detail.coding import Symbols, read_tokens, write_tokens
from tinc_codec.detail.contexts import MAGNITUDES, UNIT, WEIGHTS, Map, Tile
from tinc_codec.detail.layout import Piece
from tinc_codec.detail.model import Model, all_magnitudes, magnitudes_of
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


class Walker:
    """Whole passes at a time; see `tinc_codec.detail.work`."""

    def __init__(self, model: Model, numbers: NDArray[np.int32], known: bool = False) -> None:
        self._model, self._numbers = model, numbers
        self._magnitudes = all_magnitudes(model, numbers, known)

    def read(self, piece: Piece, code: bytes) -> None:
        """Decode a piece."""
        decoder = PieceDecoder(code)
        for step in steps(self._model, piece, self._magnitudes):
            classes = step.tile.classes(step.number)
            tokens = read_tokens(decoder, self._model.tables, classes.ravel())
            self._magnitudes_of(step)[...] = MAGNITUDES[tokens].reshape(classes.shape)
        bits = Reader(decoder.rest())
        for band, box in self._coded(piece):
            magnitudes = self._model.layout.view(self._magnitudes, band)[box]
            values = bits.numbers(np.searchsorted(MAGNITUDES, magnitudes.ravel()), int(self._model.shifts[band]))
            self._model.layout.view(self._numbers, band)[box] = values.reshape(magnitudes.shape)
        bits.end()

    def write(self, piece: Piece) -> bytes:
        """Code of a piece."""
        symbols, bits = Symbols(), Writer()
        for step in steps(self._model, piece, self._magnitudes):
            tokens = np.searchsorted(MAGNITUDES, self._magnitudes_of(step).ravel())
            write_tokens(symbols, self._model.tables, step.tile.classes(step.number).ravel(), tokens)
        for band, box in self._coded(piece):
            mine = self._model.layout.view(self._numbers, band)[box]
            bits.numbers(mine.astype(np.int64).ravel(), int(self._model.shifts[band]))
        return symbols.code(bits.bytes())

    def quantise(self, piece: Piece, quantiser: Quantiser) -> Tally:
        """Quantise the coefficients of a piece into the numbers."""
        tally = Tally.of(len(self._model.means))
        for step in steps(self._model, piece, self._magnitudes):
            classes, shift = step.tile.classes(step.number), int(self._model.shifts[step.band])
            coefficients = self._model.layout.view(quantiser.coefficients, step.band)[step.place]
            numbers = quantiser.numbers(coefficients, classes, step.band, shift, tally).astype(np.int32)
            self._model.layout.view(self._numbers, step.band)[step.place] = numbers
            self._magnitudes_of(step)[...] = magnitudes_of(numbers, shift)
        return tally

    def gather(self, piece: Piece) -> NDArray[np.float64]:
        """The equations that weights are fitted by, of each pass: shape ``(8, WEIGHTS, WEIGHTS + 1)``."""
        normal = np.zeros((8, WEIGHTS, WEIGHTS + 1))
        for step in steps(self._model, piece, self._magnitudes):
            magnitudes = self._magnitudes_of(step).ravel() / 16
            rows = np.stack([*step.tile.means(step.number, int(self._model.means[step.band])), magnitudes])
            guess = self._model.weights[step.number] @ rows[:-1] / UNIT
            normal[step.number] += rows[:-1] / (guess * (1 + guess) + 1e-4) @ rows.T
        return normal

    def _coded(self, piece: Piece) -> Iterator[tuple[int, tuple[slice, ...]]]:
        """Bands of a piece that have a code, and where they lie in it."""
        for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
            if self._model.means[band]:
                yield band, tuple(slice(*ends) for ends in box)

    def _magnitudes_of(self, step: Step) -> NDArray[np.uint8]:
        return self._model.layout.view(self._magnitudes, step.band)[step.place]


def steps(model: Model, piece: Piece, magnitudes: NDArray[np.uint8]) -> Iterator[Step]:
    """Every pass of a piece; what its coefficients count as is in `magnitudes` when the next one is asked for."""
    for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
        shape = tuple(end - begin for begin, end in box[1:])
        if not model.means[band] or 0 in shape:
            continue
        for t in range(*box[0]):
            maps, many = _maps(model, band, box, t, magnitudes)
            tile = Tile(shape, maps, many, model.weights, int(model.means[band]))
            mine = model.layout.view(magnitudes, band)[t][tuple(slice(*ends) for ends in box[1:])]
            yield from _passes(tile, band, (t, *(begin for begin, _ in box[1:])), mine)


def _passes(tile: Tile, band: int, first: tuple[int, ...], mine: NDArray[np.uint8]) -> Iterator[Step]:
    for number in range(8):
        members = tile.members(number)
        if not mine[members].size:
            continue
        ends = [begin + n for begin, n in zip(first[1:], mine.shape, strict=True)]
        rows = (slice(begin + m.start, end, 2) for begin, end, m in zip(first[1:], ends, members, strict=True))
        yield Step(tile, number, band, (first[0], *rows))
        tile.enter(number, mine)


def _maps(
    model: Model, band: int, box: list[list[int]], t: int, magnitudes: NDArray[np.uint8]
) -> tuple[list[Map | None], tuple[int, ...]]:
    """Maps of a band in a tile, and how many bands each is a sum of."""
    layout = model.layout
    *others, last = zip(layout.parents[band].tolist(), layout.halves.tolist(), strict=True)
    kinds = [[last], [(other, 0) for other in range(max(1, int(layout.first[band])), band)], others]
    maps: list[Map | None] = []
    many = []
    for kind in kinds:
        there = [(other, halved) for other, halved in kind if other >= 0 and layout.bands[other, 1:].all()]
        parts = [_cut(layout.view(magnitudes, other), halved, box, t) for other, halved in there]
        cells = tuple((end - begin + 1) // 2 for begin, end in box[1:])
        maps.append(Map.of(sum(parts[1:], parts[0]), cells) if parts else None)
        many.append(len(parts))
    return maps, tuple(many)


def _cut(magnitudes: NDArray[np.uint8], halved: int, box: list[list[int]], t: int) -> NDArray[np.int32]:
    """Magnitudes of a band at the places of a tile; bits 3 to 0 of `halved`: axes along which it is split once more."""
    where = [np.array([t]), *(np.arange(*ends) for ends in box[1:])]
    places = [
        np.minimum(index >> (halved >> (3 - axis) & 1), n - 1)
        for axis, (index, n) in enumerate(zip(where, magnitudes.shape, strict=True))
    ]
    return np.asarray(magnitudes[np.ix_(*places)][0], np.int32)
