"""A parsed stream, of which any part can be read: only the leaves, the coordinates and the tiles that it touches."""

from __future__ import annotations

import itertools
import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.reading.folding import Folding
from tinc_codec.reading.overlay import Overlay
from tinc_codec.reading.selection import Indices, select
from tinc_codec.residual import coding, section
from tinc_codec.residual.lattice import tile_begins
from tinc_codec.stream import crop, exact, lossless, weights
from tinc_codec.stream.container import Container, ModelKind, Section, unpack
from tinc_codec.tree import evaluation
from tinc_codec.tree.ancestors import Ancestors
from tinc_codec.tree.paths import Paths, lay_out
from tinc_codec.tree.threads import spread

_SMALL = 2**12
"""Memory of a chunk that holds nothing yet, about."""


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
        modelled = self.header.lossless or self.header.kind is ModelKind.SINE_TREE
        if not modelled and Section.RESIDUAL not in container.sections:
            raise CorruptStreamError("a chunk that is not lossless has neither a model nor a residual")

    @classmethod
    def of(cls, stream: bytes | memoryview) -> Chunk:
        """Parse a stream's header."""
        return cls(unpack(stream))

    @property
    def nbytes(self) -> int:
        """Memory that the chunk holds, in bytes, about."""
        held = vars(self)
        total = _SMALL + sum(map(len, self.container.sections.values()))
        total += sum(tile.nbytes for tile in list(self._tiles.values()))
        for part in (held.get("paths"), held.get("stored"), held.get("_ancestors"), *held.get("overlays", ())):
            total += 0 if part is None else part.nbytes
        return total

    @cached_property
    def paths(self) -> Paths | None:
        """The model; None: there is none."""
        if self.header.kind is not ModelKind.SINE_TREE:
            return None
        return lay_out(weights.unpack(self.container, self.folding.folded))

    @cached_property
    def _ancestors(self) -> Ancestors:
        assert self.paths is not None
        return Ancestors(self.paths)

    @cached_property
    def stored(self) -> NDArray[Any] | None:
        """All samples, folded, where they are stored losslessly; None: they are not."""
        if not self.header.lossless:
            return None
        reader, count = self.container.section(Section.LOSSLESS), math.prod(self.folding.kept)
        values = lossless.unpack(reader.raw(reader.remaining), count, self.native, self.header.version > 1)
        return values.reshape(self.folding.folded)

    @cached_property
    def overlays(self) -> tuple[Overlay, ...]:
        """Exact values and corrections, in the order in which they are entered."""
        kinds = [] if self.header.lossless else [Section.EXACT, Section.CORRECTIONS]
        return tuple(
            Overlay(*exact.unpack(self.container.section(kind), self.folding.folded, self.native))
            for kind in kinds
            if kind in self.container.sections
        )

    @cached_property
    def residual(self) -> tuple[section.Parameters, list[bytes]] | None:
        """What the residual's tiles share, and their codes; None: there is none."""
        if Section.RESIDUAL not in self.container.sections or self.header.lossless:
            return None
        return section.unpack(self.container.section(Section.RESIDUAL), self.folding.folded, self.native)

    def read(self, selection: Any = ()) -> NDArray[Any]:
        """What ``array[selection]`` would give of the decoded chunk, in the chunk's dtype; C order.

        Raises
        ------
        IndexError
            The selection does not fit the chunk.
        CorruptStreamError
            A section that is needed makes no sense.
        """
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
        samples = None if self.paths is None else evaluation.whole(self.paths)
        if self.residual is not None:
            samples = self._corrected(samples)
        assert samples is not None
        for overlay in self.overlays:
            overlay.on_all(samples)
        return samples

    def restored(self) -> NDArray[Any]:
        """The array that was encoded: shape, dtype and memory order; writable."""
        shaped = crop.restore(self.container, self.whole())
        array = np.asarray(shaped, self.header.dtype, order="F" if self.header.order == "F" else "C")
        kept = self.stored is not None and np.may_share_memory(array, self.stored)
        return array.copy(order="K") if kept else array

    def _corrected(self, model: NDArray[Any] | None) -> NDArray[Any]:
        assert self.residual is not None
        parameters, codes = self.residual
        samples = np.empty(self.folding.folded, self.native)

        def tile(number: int) -> None:
            place = coding.tile_place(self.folding.folded, parameters.tiles, number)
            base = coding.base_of(parameters, samples[place].shape, None if model is None else model[place])
            values = coding.decode_tile(codes[number], parameters, base, self.coded(place))
            samples[place] = parameters.grid.to_samples(values)

        spread(tile, [len(code) for code in codes], 1)
        return samples

    def coded(self, place: tuple[slice, ...]) -> NDArray[np.bool_] | None:
        """Which voxels of a tile are coded; None: all."""
        return ~self.overlays[0].mask[place] if Section.EXACT in self.container.sections else None

    def _product(self, indices: Indices) -> NDArray[Any]:
        inside = [index < size for index, size in zip(indices, self.folding.kept, strict=True)]
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
        if self.residual is not None:
            samples = self._from_tiles(indices)
        else:
            assert self.paths is not None
            samples = evaluation.at_product(self.paths, indices, self._ancestors)
        for overlay in self.overlays:
            overlay.on_product(samples, indices)
        return samples

    def folded_points(self, indices: Indices) -> NDArray[Any]:
        """Samples at points of the folded shape."""
        if self.stored is not None:
            return self.stored[indices]
        if self.residual is not None:
            samples = self._from_tiles_at(indices)
        else:
            assert self.paths is not None
            samples = evaluation.at_points(self.paths, np.stack(indices))
        for overlay in self.overlays:
            overlay.on_points(samples, indices)
        return samples

    def _begins(self) -> list[NDArray[np.int64]]:
        assert self.residual is not None
        return tile_begins(self.folding.folded, self.residual[0].tiles)

    def _from_tiles(self, indices: Indices) -> NDArray[Any]:
        begins = self._begins()
        tiles = [np.searchsorted(b, index, side="right") - 1 for b, index in zip(begins, indices, strict=True)]
        samples = np.empty([len(index) for index in indices], self.native)
        grid = tuple(map(len, begins))
        wanted = list(itertools.product(*(np.unique(along).tolist() for along in tiles)))
        numbers = [int(np.ravel_multi_index(at, grid)) for at in wanted]
        spread(lambda place: self.tile(numbers[place]), [1] * len(numbers), 1)
        for at, number in zip(wanted, numbers, strict=True):
            inside = [np.flatnonzero(along == tile) for along, tile in zip(tiles, at, strict=True)]
            local = [index[i] - b[t] for index, i, b, t in zip(indices, inside, begins, at, strict=True)]
            samples[np.ix_(*inside)] = self.tile(number)[np.ix_(*local)]
        return samples

    def _from_tiles_at(self, indices: Indices) -> NDArray[Any]:
        begins = self._begins()
        tiles = [np.searchsorted(b, index, side="right") - 1 for b, index in zip(begins, indices, strict=True)]
        numbers = np.ravel_multi_index(tuple(tiles), tuple(map(len, begins)))
        local = [index - b[t] for index, b, t in zip(indices, begins, tiles, strict=True)]
        samples = np.empty(len(numbers), self.native)
        for number in np.unique(numbers).tolist():
            inside = numbers == number
            samples[inside] = self.tile(number)[tuple(part[inside] for part in local)]
        return samples

    def tile(self, number: int) -> NDArray[Any]:
        """Samples of one tile of the residual, without exact values and corrections; kept once it is decoded."""
        if number not in self._tiles:
            assert self.residual is not None
            parameters, codes = self.residual
            place = coding.tile_place(self.folding.folded, parameters.tiles, number)
            ranges = [np.arange(part.start, part.stop) for part in place]
            model = None if self.paths is None else evaluation.at_product(self.paths, ranges)
            base = coding.base_of(parameters, tuple(map(len, ranges)), model)
            values = coding.decode_tile(codes[number], parameters, base, self.coded(place))
            self._tiles[number] = parameters.grid.to_samples(values)
        return self._tiles[number]
