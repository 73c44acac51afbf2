"""The walk over the passes of the tiles of a piece: the reference of what the compiled twins do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.bits import Reader, Writer
from tinc_codec.detail.coding import Symbols, read_tokens, write_tokens
from tinc_codec.detail.contexts import MAGNITUDES, UNIT, WEIGHTS, Grid, Map, Tile, grid_of
from tinc_codec.detail.host import ByPiece
from tinc_codec.detail.layout import Piece
from tinc_codec.detail.model import Model, magnitudes_of
from tinc_codec.detail.quantiser import Quantiser, Tally
from tinc_codec.stream.ans import PieceDecoder


@dataclass(frozen=True, eq=False)
class Step:
    """One pass over some frames of a tile."""

    tile: Tile
    number: int
    band: int
    place: tuple[slice, ...]
    """Of its coefficients in the band."""


class Walker(ByPiece):
    """Whole passes at a time; see `tinc_codec.detail.work`."""

    parallel = False  # of small arrays threads wait for the lock longer than they work

    def __init__(self, model: Model, numbers: NDArray[np.int32], magnitudes: NDArray[np.uint8] | None = None) -> None:
        super().__init__(model)
        self._numbers = numbers
        self.magnitudes = np.zeros(model.layout.size, np.uint8) if magnitudes is None else magnitudes

    def read(self, piece: Piece, code: bytes) -> None:
        """Decode a piece."""
        decoder = PieceDecoder(code)
        for step in steps(self._model, piece, self.magnitudes):
            classes = step.tile.classes(step.number)
            tokens = read_tokens(decoder, self._model.tables, classes.ravel())
            self._magnitudes_of(step)[...] = MAGNITUDES[tokens].reshape(classes.shape)
        bits = Reader(decoder.rest())
        for band, box in self._coded(piece):
            magnitudes = self._model.layout.view(self.magnitudes, band)[box]
            values = bits.numbers(np.searchsorted(MAGNITUDES, magnitudes.ravel()), int(self._model.shifts[band]))
            self._model.layout.view(self._numbers, band)[box] = values.reshape(magnitudes.shape)
        bits.end()

    def write(self, piece: Piece) -> bytes:
        """Code of a piece."""
        symbols, bits = Symbols(), Writer()
        for step in steps(self._model, piece, self.magnitudes):
            tokens = np.searchsorted(MAGNITUDES, self._magnitudes_of(step).ravel())
            write_tokens(symbols, self._model.tables, step.tile.classes(step.number).ravel(), tokens)
        for band, box in self._coded(piece):
            mine = self._model.layout.view(self._numbers, band)[box]
            bits.numbers(mine.astype(np.int64).ravel(), int(self._model.shifts[band]))
        return symbols.code(bits.bytes())

    def quantise(self, piece: Piece, quantiser: Quantiser) -> Tally:
        """Quantise the coefficients of a piece into the numbers."""
        tally = Tally.of(len(self._model.means))
        for step in steps(self._model, piece, self.magnitudes):
            classes, shift = step.tile.classes(step.number), int(self._model.shifts[step.band])
            coefficients = self._model.layout.view(quantiser.coefficients, step.band)[step.place]
            numbers = quantiser.numbers(coefficients, classes, step.band, shift, tally).astype(np.int32)
            self._model.layout.view(self._numbers, step.band)[step.place] = numbers
            self._magnitudes_of(step)[...] = magnitudes_of(numbers, shift)
        return tally

    def gather(self, piece: Piece, every: int = 1) -> NDArray[np.float64]:
        """The equations that weights are fitted by."""
        normal = np.zeros((8, WEIGHTS, WEIGHTS + 1))
        for step in steps(self._model, piece, self.magnitudes):
            magnitudes = self._magnitudes_of(step).ravel() / 16
            rows = np.stack([*step.tile.means(step.number), magnitudes])[:, every // 2 :: every]
            guess = self._model.weights[step.number] @ rows[:-1] / UNIT
            normal[step.number] += rows[:-1] / (guess * (1 + guess) + 1e-4) @ rows.T
        return normal

    def _coded(self, piece: Piece) -> Iterator[tuple[int, tuple[slice, ...]]]:
        """Bands of a piece that have a code, and where they lie in it."""
        for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
            if self._model.means[band]:
                yield band, tuple(slice(*ends) for ends in box)

    def _magnitudes_of(self, step: Step) -> NDArray[np.uint8]:
        return self._model.layout.view(self.magnitudes, step.band)[step.place]


def steps(model: Model, piece: Piece, magnitudes: NDArray[np.uint8]) -> Iterator[Step]:
    """Every pass of a piece; what its coefficients count as is in `magnitudes` when the next one is asked for."""
    for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
        shape = tuple(end - begin for begin, end in box[1:])
        if not model.means[band] or 0 in shape:
            continue
        many = int(model.layout.frames[band])
        for begin in range(box[0][0], box[0][1], many):
            yield from _passes(model, band, [[begin, min(begin + many, box[0][1])], *box[1:]], magnitudes)


def _passes(model: Model, band: int, box: list[list[int]], magnitudes: NDArray[np.uint8]) -> Iterator[Step]:
    frames, *shape = (end - begin for begin, end in box)
    grid = grid_of(frames, tuple(shape))
    tile = Tile(grid, *_maps(model, band, box, grid, magnitudes), model.weights, int(model.means[band]))
    mine = model.layout.view(magnitudes, band)
    for number in range(8):
        rows = (slice(begin + m.start, end, 2) for (begin, end), m in zip(box[1:], grid.members(number), strict=True))
        place = (slice(*box[0]), *rows)
        if mine[place].size:
            yield Step(tile, number, band, place)
            tile.enter(number, mine[place])


def _maps(
    model: Model, band: int, box: list[list[int]], grid: Grid, magnitudes: NDArray[np.uint8]
) -> tuple[list[Map | None], tuple[int, ...]]:
    """Maps of a band in some frames of a tile, and how many bands each is a sum of."""
    layout = model.layout
    *others, last = zip(layout.parents[band].tolist(), layout.halves.tolist(), strict=True)
    kinds = [[last], [(other, 0) for other in range(max(1, int(layout.first[band])), band)], others]
    maps: list[Map | None] = []
    many = []
    for kind in kinds:
        there = [(other, halved) for other, halved in kind if other >= 0 and layout.bands[other, 1:].all()]
        parts = (_spread(layout.view(magnitudes, other), halved, box, grid) for other, halved in there)
        some = [part for part in parts if part is not None]
        maps.append(Map.of(grid, sum(some[1:], some[0])) if some else None)
        many.append(len(there))
    return maps, tuple(many)


def _spread(magnitudes: NDArray[np.uint8], halved: int, box: list[list[int]], grid: Grid) -> NDArray[np.int32] | None:
    """Magnitudes of a band over the cells of a tile, see `Map.of`; None: all are 0.

    Parameters
    ----------
    halved
        Bits 3 to 0: axes along which the band is split once more than the tile's.
    """
    within = [np.arange(*box[0]), *(begin + grid.spread(axis).ravel() for axis, (begin, _) in enumerate(box[1:]))]
    places = [
        np.minimum(index >> (halved >> (3 - axis) & 1), n - 1)
        for axis, (index, n) in enumerate(zip(within, magnitudes.shape, strict=True))
    ]
    near = magnitudes[tuple(slice(index.min(), index.max() + 1) for index in places)]
    if not near.any():
        return None
    for axis, index in enumerate(places):
        near = near.take(index - index.min(), axis)
    frames, *cells = grid.padded
    return near.astype(np.int32).reshape(frames, 2, cells[0], 2, cells[1], 2, cells[2])
