"""A parsed stream, of which any part can be read: only the leaves, the coordinates and the tiles that it touches."""

from __future__ import annotations

import itertools
import math
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.backends.protocol import TileDecoder
from tinc_codec.decoding import predictors
from tinc_codec.decoding.memory import accounted
from tinc_codec.decoding.overlay import Overlay
from tinc_codec.decoding.predictors.protocol import Predictor
from tinc_codec.decoding.selection import nothing, select
from tinc_codec.detail import exact_in_context
from tinc_codec.errors import CorruptStreamError
from tinc_codec.residual import section, tiles
from tinc_codec.residual.interlace import tile_borders, tile_bounds
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.threads import spread
from tinc_codec.stream import crop, exact, lossless
from tinc_codec.stream.container import Container, ModelKind, Section, unpack
from tinc_codec.stream.limits import Expected, check_header
from tinc_codec.tree.folding import Folding, Indices

EXACT = {Section.EXACT, Section.EXACT_IN_CONTEXT}
"""Sections of samples that no model is for; a chunk has one of them at most."""

OVERLAYS = {
    Section.EXACT: exact.unpack,
    Section.EXACT_IN_CONTEXT: exact_in_context.unpack,
    Section.CORRECTIONS: exact.unpack,
}
"""How samples that are stored one by one are read, in the order in which they are entered."""

_SMALL, _TILE = 2**12, 2**10
"""Memory of a chunk that holds nothing yet, about, and of a tile's place and code beside its bytes."""


class Chunk:
    """One chunk.

    What a read needs is parsed at that read, and stays. Threads may share a chunk: at worst they parse a part twice.

    Parameters
    ----------
    container
        The stream's header and sections.
    """

    def __init__(self, container: Container) -> None:
        self.container = container
        self.header = container.header
        self.native = self.header.dtype.newbyteorder("=")
        self.folding = Folding(crop.kept_shape(container))
        self._tiles: dict[int, NDArray[Any]] = {}
        predicted = self.header.kind is not ModelKind.NONE
        if not (self.header.lossless or predicted) and Section.RESIDUAL not in container.sections:
            raise CorruptStreamError("a chunk that is not lossless has neither a model nor a residual")

    @classmethod
    def of(cls, stream: bytes | memoryview, expected: Expected | None = None) -> Chunk:
        """Parse a stream's header, and check that it is what is `expected` or, where nothing is, small enough.

        Raises
        ------
        CorruptStreamError
            The bytes make no sense, or are another chunk; `LimitError` where they claim too much.
        """
        with accounted("a stream", len(stream)):
            container = unpack(stream)
            check_header(container.header, len(stream), expected)
            return cls(container)

    @property
    def nbytes(self) -> int:
        """Memory that the chunk holds, in bytes, about."""
        held = vars(self)
        total = _SMALL + sum(map(len, self.container.sections.values()))
        total += sum(tile.nbytes for tile in list(self._tiles.values()))
        if "_residual" in held:
            total += self.parameters.nbytes + sum(map(len, self.codes)) + _TILE * len(self.codes)
        for part in (held.get("predictor"), held.get("stored"), held.get("_tile_decoder"), *held.get("overlays", ())):
            total += 0 if part is None else part.nbytes
        return total

    @lazy
    def predictor(self) -> Predictor | None:
        """What gives samples before the residual; None: nothing does."""
        return predictors.parse(self.container, self.folding.folded)

    def parse(self) -> Self:
        """Parse what every part of the chunk needs, now rather than when it is read."""
        with self.accounted():
            _ = self.predictor
        return self

    def accounted(self) -> AbstractContextManager[None]:
        """Where memory runs out, the error says for which chunk."""
        return accounted(f"a chunk of shape {self.header.shape} and {self.header.dtype}", self.header.raw_bytes)

    @lazy
    def stored(self) -> NDArray[Any] | None:
        """All samples, folded, where they are stored losslessly; None: they are not."""
        if not self.header.lossless:
            return None
        reader, count = self.container.section(Section.LOSSLESS), math.prod(self.folding.kept)
        values = lossless.unpack(reader.raw(reader.remaining), count, self.native, self.header.version > 1)
        return values.reshape(self.folding.folded)

    @lazy
    def overlays(self) -> tuple[Overlay, ...]:
        """Exact values and corrections, in the order in which they are entered."""
        kinds = [] if self.header.lossless else [kind for kind in OVERLAYS if kind in self.container.sections]
        if set(kinds) >= EXACT:
            raise CorruptStreamError("exact values are there in two forms")
        return tuple(
            Overlay(*OVERLAYS[kind](self.container.section(kind), self.folding.folded, self.native)) for kind in kinds
        )

    @property
    def has_residual(self) -> bool:
        """Whether samples are coded in tiles."""
        return Section.RESIDUAL in self.container.sections and not self.header.lossless

    @lazy
    def _residual(self) -> tuple[section.ResidualParameters, list[bytes]]:
        return section.unpack(self.container.section(Section.RESIDUAL), self.folding.folded, self.native)

    @lazy
    def _tile_decoder(self) -> TileDecoder:
        return backend().tile_decoder(self.parameters)

    @property
    def parameters(self) -> section.ResidualParameters:
        """What the residual's tiles share."""
        return self._residual[0]

    @property
    def codes(self) -> list[bytes]:
        """Each tile's code."""
        return self._residual[1]

    @lazy
    def places(self) -> list[tuple[slice, ...]]:
        """Each tile's place in the folded shape."""
        return tile_bounds(self.folding.folded, self.parameters.tiles)

    def read(self, selection: Any = ()) -> NDArray[Any]:
        """What ``array[selection]`` would give of the decoded chunk, in the chunk's dtype; C order.

        Raises
        ------
        SelectionError
            The selection does not fit the chunk.
        CorruptStreamError
            A section that is needed makes no sense.
        """
        with self.accounted():
            if 0 in self.header.shape:  # the other axes may be as long as they like
                return nothing(selection, self.header.shape, self.header.dtype)
            wanted = select(selection, self.header.shape)
            if 0 in wanted.shape or any(len(index) == 0 for index in wanted.indices):
                return np.empty(wanted.shape, self.header.dtype)
            read = self._product if wanted.product else self._points
            samples = read(wanted.indices).reshape(wanted.shape).astype(self.header.dtype, copy=False)
            return samples if samples.flags.writeable else samples.copy()

    def whole(self) -> NDArray[Any]:
        """All samples of the part that is stored, folded, native."""
        if self.stored is not None:
            return self.stored
        samples = None if self.predictor is None else self.predictor.whole()
        if self.has_residual:
            samples = self._corrected(samples)
        assert samples is not None
        for overlay in self.overlays:
            overlay.on_all(samples)
        return samples

    def restored(self) -> NDArray[Any]:
        """The array that was encoded: shape, dtype and memory order; writable."""
        with self.accounted():
            shaped = crop.restore(self.container, self.whole())
            array = np.asarray(shaped, self.header.dtype, order="F" if self.header.order == "F" else "C")
            kept = self.stored is not None and np.may_share_memory(array, self.stored)
            return array.copy(order="K") if kept else array

    def _corrected(self, model: NDArray[Any] | None) -> NDArray[Any]:
        """Samples of all tiles, from those of the model."""
        samples = np.empty(self.folding.folded, self.native)

        def enter(number: int) -> None:
            place = self.places[number]
            samples[place] = self.decoded_tile(number, None if model is None else model[place])

        spread(enter, range(len(self.codes)), [len(code) for code in self.codes])
        return samples

    def decoded_tile(self, number: int, model: NDArray[Any] | None, level: int = 0) -> NDArray[Any]:
        """Samples of a tile of the residual without exact values and corrections, on the lattice of a level.

        `model` are the model's samples in the tile, where there is a model.
        """
        place = self.places[number]
        base = tiles.base_of(self.parameters, tuple(part.stop - part.start for part in place), model)
        coded = ~self.overlays[0].mask[place] if EXACT & self.container.sections.keys() else None
        return self.parameters.domain.to_samples(self._tile_decoder.decode(self.codes[number], base, coded, level))

    def _product(self, indices: Indices) -> NDArray[Any]:
        whole = self.folding.kept == self.header.shape
        inside = [] if whole else [index < size for index, size in zip(indices, self.folding.kept, strict=True)]
        if all(part.all() for part in inside):
            return self.folding.unfolded(self.folded_product(self.folding.product(indices)), indices)
        samples = np.full([len(index) for index in indices], crop.fill_value(self.container))
        chosen = tuple(index[part] for index, part in zip(indices, inside, strict=True))
        if all(map(len, chosen)):
            part = self.folded_product(self.folding.product(chosen))
            samples[np.ix_(*inside)] = self.folding.unfolded(part, chosen)
        return samples

    def _points(self, indices: Indices) -> NDArray[Any]:
        inside = np.logical_and.reduce([i < size for i, size in zip(indices, self.folding.kept, strict=True)])
        chosen = tuple(index[inside] for index in indices)
        if len(chosen[0]) == len(indices[0]):
            return self.folded_points(self.folding.points(indices))
        samples = np.full(len(indices[0]), crop.fill_value(self.container))
        samples[inside] = self.folded_points(self.folding.points(chosen))
        return samples

    def folded_product(self, indices: Indices) -> NDArray[Any]:
        """Samples at a product of indices of the folded shape."""
        if self.stored is not None:
            return self.stored[np.ix_(*indices)]
        if self.has_residual:
            samples = self._from_tiles(indices)
        else:
            assert self.predictor is not None
            samples = self.predictor.at_product(indices)
        for overlay in self.overlays:
            overlay.on_product(samples, indices)
        return samples

    def folded_points(self, indices: Indices) -> NDArray[Any]:
        """Samples at points of the folded shape."""
        if self.stored is not None:
            return self.stored[indices]
        if self.has_residual:
            samples = self._from_tiles_at(indices)
        else:
            assert self.predictor is not None
            samples = self.predictor.at_points(np.stack(indices))
        for overlay in self.overlays:
            overlay.on_points(samples, indices)
        return samples

    def _tiles_of(self, indices: Indices) -> tuple[list[NDArray[np.intp]], list[NDArray[np.int64]]]:
        """Along each axis, which tile each index is in, and its index there."""
        borders = tile_borders(self.folding.folded, self.parameters.tiles)
        tiles = [np.searchsorted(b, index, side="right") - 1 for b, index in zip(borders, indices, strict=True)]
        return tiles, [index - b[tile] for index, b, tile in zip(indices, borders, tiles, strict=True)]

    def _from_tiles(self, indices: Indices) -> NDArray[Any]:
        tiles, local = self._tiles_of(indices)
        samples = np.empty([len(index) for index in indices], self.native)
        wanted = list(itertools.product(*(np.unique(along).tolist() for along in tiles)))
        numbers = [int(np.ravel_multi_index(at, self.parameters.tiles)) for at in wanted]
        spread(self.tile, numbers)
        for at, number in zip(wanted, numbers, strict=True):
            inside = [np.flatnonzero(along == tile) for along, tile in zip(tiles, at, strict=True)]
            part = np.ix_(*(index[i] for index, i in zip(local, inside, strict=True)))
            samples[np.ix_(*inside)] = self.tile(number)[part]
        return samples

    def _from_tiles_at(self, indices: Indices) -> NDArray[Any]:
        tiles, local = self._tiles_of(indices)
        numbers = np.ravel_multi_index(tuple(tiles), self.parameters.tiles)
        samples = np.empty(len(numbers), self.native)
        for number in np.unique(numbers).tolist():
            inside = numbers == number
            samples[inside] = self.tile(number)[tuple(index[inside] for index in local)]
        return samples

    def tile(self, number: int) -> NDArray[Any]:
        """Samples of a tile, as `decoded_tile` gives them; kept once it is decoded."""
        if number not in self._tiles:
            ranges = [np.arange(part.start, part.stop) for part in self.places[number]]
            predicted = None if self.predictor is None else self.predictor.at_product(ranges)
            self._tiles[number] = self.decoded_tile(number, predicted)
        return self._tiles[number]
