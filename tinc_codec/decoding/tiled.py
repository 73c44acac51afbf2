"""Samples that are coded as what a prediction leaves over, tile by tile: only the tiles that a read touches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.decoding.predictors.protocol import Predictor
from tinc_codec.residual import section, tiles
from tinc_codec.residual.interlace import tile_borders, tile_bounds
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.runtime.threads import spread
from tinc_codec.stream.fields import FieldReader
from tinc_codec.tree.runs import Positions

_TILE = 2**10
"""Memory of a tile's place and of its code beside their bytes, about."""


class TiledResidual:
    """The residual of a chunk, and samples that it gives together with what it corrects; tiles that were read are kept.

    Threads may share it: at worst they decode a tile twice.

    Parameters
    ----------
    parameters
        What the tiles share.
    codes
        Of the tiles, in C order of their grid.
    shape
        Of the chunk, folded.
    predictor
        Gives the samples that are corrected; None: all are ``parameters.start``.
    coded
        Which voxels the codes are of, bool of `shape`; None: all.
    """

    def __init__(
        self,
        parameters: ResidualParameters,
        codes: list[bytes],
        shape: tuple[int, ...],
        predictor: Predictor | None = None,
        coded: NDArray[np.bool_] | None = None,
    ) -> None:
        self.parameters, self.codes, self.shape = parameters, codes, shape
        self.borders = tile_borders(shape, parameters.tiles)
        self.places = tile_bounds(shape, parameters.tiles)
        self._predictor, self._coded = predictor, coded
        self._decoder = backend().tile_decoder(parameters)
        self._tiles: dict[int, NDArray[Any]] = {}

    @classmethod
    def parse(
        cls,
        reader: FieldReader,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        predictor: Predictor | None = None,
        coded: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Read the section of a chunk of folded `shape` and native `dtype`.

        Raises
        ------
        CorruptStreamError
            The section makes no sense.
        """
        return cls(*section.unpack(reader, shape, dtype), shape, predictor, coded)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the samples, native."""
        return self.parameters.domain.dtype

    @property
    def nbytes(self) -> int:
        """Memory in bytes, about, with the tiles that are kept; without the predictor."""
        codes = sum(map(len, self.codes)) + _TILE * len(self.codes)
        coded = 0 if self._coded is None else self._coded.nbytes
        kept = sum(tile.nbytes for tile in list(self._tiles.values()))
        return self.parameters.nbytes + self._decoder.nbytes + codes + coded + kept

    def whole(self, predicted: NDArray[Any] | None = None) -> NDArray[Any]:
        """All samples; no tile is kept.

        Parameters
        ----------
        predicted
            All that the predictor gives, where that is known.
        """
        if predicted is None and self._predictor is not None:
            predicted = self._predictor.whole()
        samples = np.empty(self.shape, self.dtype)

        def enter(number: int) -> None:
            place = self.places[number]
            samples[place] = self._decoded(number, None if predicted is None else predicted[place])

        spread(enter, range(len(self.codes)), [len(code) for code in self.codes])
        return samples

    def tile(self, number: int) -> NDArray[Any]:
        """Samples of a tile; kept once it is decoded."""
        if number not in self._tiles:
            ranges = [np.arange(part.start, part.stop) for part in self.places[number]]
            predicted = None if self._predictor is None else self._predictor.at_product(ranges)
            self._tiles[number] = self._decoded(number, predicted)
        return self._tiles[number]

    def at_product(self, positions: Sequence[Positions]) -> NDArray[Any]:
        """Samples at the product of indices along each axis."""
        tiles, inside = self._located(positions)
        samples = np.empty([len(along) for along in positions], self.dtype)
        touched = list(itertools.product(*(np.unique(along).tolist() for along in tiles)))
        numbers = [int(np.ravel_multi_index(at, self.parameters.tiles)) for at in touched]
        spread(self.tile, numbers)
        for at, number in zip(touched, numbers, strict=True):
            answers = [np.flatnonzero(along == tile) for along, tile in zip(tiles, at, strict=True)]
            part = np.ix_(*(index[answer] for index, answer in zip(inside, answers, strict=True)))
            samples[np.ix_(*answers)] = self.tile(number)[part]
        return samples

    def at_points(self, positions: Positions) -> NDArray[Any]:
        """Samples at single voxels, whose indices are ``(axes, points)``."""
        tiles, inside = self._located(tuple(positions))
        numbers = np.ravel_multi_index(tuple(tiles), self.parameters.tiles)
        samples = np.empty(len(numbers), self.dtype)
        for number in np.unique(numbers).tolist():
            answers = numbers == number
            samples[answers] = self.tile(number)[tuple(index[answers] for index in inside)]
        return samples

    def lattice(self, level: int) -> tuple[NDArray[Any], list[NDArray[np.int64]]]:
        """Every tile's voxels at multiples of ``2 ** level`` from its first one, where nothing is predicted.

        Returns
        -------
        samples, positions
            Positions along each axis, ascending; `samples` are of their product. Levels beyond the tiles' coarsest
            lattice give that one.
        """
        level = min(level, self.parameters.levels)
        known = [
            np.concatenate([np.arange(*ends, 2**level) for ends in itertools.pairwise(along.tolist())])
            for along in self.borders
        ]
        samples = np.empty([len(along) for along in known], self.dtype)
        for number, place in enumerate(self.places):
            tile = self._decoded(number, None, level)
            begins = [np.searchsorted(along, part.start) for along, part in zip(known, place, strict=True)]
            samples[tuple(slice(begin, begin + n) for begin, n in zip(begins, tile.shape, strict=True))] = tile
        return samples, known

    def _located(self, positions: Sequence[Positions]) -> tuple[list[NDArray[np.intp]], list[NDArray[Any]]]:
        """Along each axis, which tile each index is in, and its index there."""
        tiles = [
            np.searchsorted(begins, index, side="right") - 1
            for begins, index in zip(self.borders, positions, strict=True)
        ]
        inside = [index - begins[tile] for index, begins, tile in zip(positions, self.borders, tiles, strict=True)]
        return tiles, inside

    def _decoded(self, number: int, predicted: NDArray[Any] | None, level: int = 0) -> NDArray[Any]:
        """Samples of a tile on the lattice of a level, from those that are predicted, if any are."""
        place = self.places[number]
        base = tiles.base_of(self.parameters, tuple(part.stop - part.start for part in place), predicted)
        coded = None if self._coded is None else self._coded[place]
        return self.parameters.domain.to_samples(self._decoder.decode(self.codes[number], base, coded, level))
