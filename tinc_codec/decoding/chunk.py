"""A parsed stream, of which any part can be read: only the leaves, the coordinates and the tiles that it touches."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.decoding import predictors
from tinc_codec.decoding.memory import accounted
from tinc_codec.decoding.overlay import Overlay
from tinc_codec.decoding.predictors.protocol import Predictor
from tinc_codec.decoding.selection import nothing, select
from tinc_codec.decoding.tiled import TiledResidual
from tinc_codec.detail import exact_in_context
from tinc_codec.errors import CorruptStreamError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.threads import ahead
from tinc_codec.stream import crop, exact, lossless
from tinc_codec.stream.container import Container, ModelKind, Section, unpack
from tinc_codec.stream.fields import FieldReader
from tinc_codec.stream.limits import Expected, check_header
from tinc_codec.tree.folding import Folding, Indices

EXACT = {Section.EXACT, Section.EXACT_IN_CONTEXT}
"""Sections of samples that no model is for; a chunk has one of them at most."""


def _in_context(
    section: FieldReader, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    return exact_in_context.unpack(section, shape, dtype, backend().detail)


OVERLAYS = {
    Section.EXACT: exact.unpack,
    Section.EXACT_IN_CONTEXT: _in_context,
    Section.CORRECTIONS: exact.unpack,
}
"""How samples that are stored one by one are read, in the order in which they are entered."""

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
        parts = (held.get("predictor"), held.get("residual"), held.get("stored"), *held.get("overlays", ()))
        total = _SMALL + sum(map(len, self.container.sections.values()))
        for part in parts:
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
    def residual(self) -> TiledResidual | None:
        """Gives samples from what the predictor says of them; None: nothing corrects those."""
        if not self.has_residual:
            return None
        coded = ~self.overlays[0].mask if EXACT & self.container.sections.keys() else None
        reader = self.container.section(Section.RESIDUAL)
        return TiledResidual.parse(reader, self.folding.folded, self.native, self.predictor, coded)

    @property
    def _beneath(self) -> TiledResidual | Predictor:
        """What gives samples, to which exact values and corrections are to be added."""
        source = self.predictor if self.residual is None else self.residual
        assert source is not None  # else they are stored
        return source

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
            selected = select(selection, self.header.shape)
            if 0 in selected.shape or any(len(index) == 0 for index in selected.indices):
                return np.empty(selected.shape, self.header.dtype)
            read = self._product if selected.product else self._points
            samples = read(selected.indices).reshape(selected.shape).astype(self.header.dtype, copy=False)
            return samples if samples.flags.writeable else samples.copy()

    def whole(self, predicted: NDArray[Any] | None = None) -> NDArray[Any]:
        """All samples of the part that is stored, folded, native.

        Parameters
        ----------
        predicted
            What the predictor gives, where that is known and a residual corrects it.
        """
        if self.stored is not None:
            return self.stored
        with self._overlays_ahead():
            samples = self._beneath.whole() if self.residual is None else self.residual.whole(predicted)
        for overlay in self.overlays:
            overlay.on_all(samples)
        return samples

    def _overlays_ahead(self) -> AbstractContextManager[None]:
        """Have a mask decoded while what lies beneath is: one symbol after the other, it takes one thread."""
        there = Section.EXACT_IN_CONTEXT in self.container.sections and "overlays" not in vars(self)
        return ahead(lambda: self.overlays) if there and not self.has_residual else nullcontext()

    def restored(self) -> NDArray[Any]:
        """The array that was encoded: shape, dtype and memory order; writable."""
        with self.accounted():
            shaped = crop.restore(self.container, self.whole())
            array = np.asarray(shaped, self.header.dtype, order="F" if self.header.order == "F" else "C")
            kept = self.stored is not None and np.may_share_memory(array, self.stored)
            return array.copy(order="K") if kept else array

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
        with self._overlays_ahead():
            samples = self._beneath.at_product(indices)
        for overlay in self.overlays:
            overlay.on_product(samples, indices)
        return samples

    def folded_points(self, indices: Indices) -> NDArray[Any]:
        """Samples at points of the folded shape."""
        if self.stored is not None:
            return self.stored[indices]
        with self._overlays_ahead():
            samples = self._beneath.at_points(np.stack(indices))
        for overlay in self.overlays:
            overlay.on_points(samples, indices)
        return samples
