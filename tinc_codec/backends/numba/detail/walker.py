"""Pieces by the compiled walk: what `tinc_codec.detail.walk` does."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.detail.coding import Lookups, encoded, lookups
from tinc_codec.backends.numba.detail.space import Setup, Task
from tinc_codec.backends.numba.detail.walk import GATHER, QUANTISE, READ, WRITE, walk
from tinc_codec.detail.contexts import WEIGHTS, divisors
from tinc_codec.detail.host import ByPiece
from tinc_codec.detail.layout import Piece
from tinc_codec.detail.model import Model
from tinc_codec.detail.quantiser import SUMS, Quantiser, Tally
from tinc_codec.detail.tables import TOKENS, ClassTables
from tinc_codec.errors import CorruptStreamError
from tinc_codec.runtime.threads import share
from tinc_codec.stream.ans import to_words

_SYMBOLS_OF_ONE = 4
"""Symbols more, at most, of a coefficient that is not 0: a run and what it is ended by."""

_PART = 2**16
"""Coefficients of a piece that a thread walks over by itself, about, where that can be."""

_BITS_OF_ESCAPE = 37
"""Bits, at most, of a coefficient beyond its low ones: its sign, and what a large one has."""


_EMPTY: dict[str, Any] = {
    "words": np.zeros(0, np.uint32),
    "symbols": np.zeros((0, 2), np.uint32),
    "bits": np.zeros(0, np.uint32),
    "coefficients": np.zeros(0, np.float32),
    "steps": np.zeros(0),
    "costs": np.zeros((0, TOKENS)),
    "price": np.zeros(1),
    "histogram": np.zeros((0, TOKENS), np.int64),
    "sums": np.zeros((0, SUMS)),
    "normal": np.zeros((0, WEIGHTS, WEIGHTS + 1)),
    "every": np.ones(1, np.int64),
}


def _parts(piece: Piece) -> list[slice]:
    """Bands of a piece, in parts that can be walked side by side where all magnitudes are known."""
    sizes = np.diff(piece.boxes).prod((1, 2))
    number = (np.cumsum(sizes) - sizes // 2) // _PART
    ends = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(number)]
    return [slice(*part) for part in itertools.pairwise(ends)]


def _task(**given: Any) -> Task:
    """Arrays of one kind of walk; what it does not need is empty."""
    return Task(**{**_EMPTY, **given})


@lru_cache(maxsize=64)
def _lookups(tables: ClassTables) -> Lookups:
    return lookups(tables)


class Walker(ByPiece):
    """A chunk's model and numbers, as the compiled parts want them; see `tinc_codec.detail.work.Walker`."""

    parallel = True

    def __init__(self, model: Model, numbers: NDArray[np.int32], magnitudes: NDArray[np.uint8] | None = None) -> None:
        super().__init__(model)
        plan = model.layout
        shifts = model.shifts.astype(np.int64)
        self._setup = Setup(
            plan.bands,
            plan.first,
            plan.parents,
            plan.halves,
            plan.frames,
            divisors(),
            model.weights,
            model.means,
            shifts,
        )
        self._numbers, self._tables = numbers, _lookups(model.tables)
        self.magnitudes = np.zeros(model.layout.size, np.uint8) if magnitudes is None else magnitudes

    def _walk(self, job: int, task: Task, piece: Piece, some: slice = slice(None)) -> tuple[int, int]:
        """Walk over a piece, or over some of its bands."""
        bands, boxes = piece.bands[some], piece.boxes[some]
        counts: tuple[int, int] = walk(
            job, task, self._setup, self._tables, bands, boxes, self._numbers, self.magnitudes
        )
        return counts

    def read(self, piece: Piece, code: bytes) -> None:
        """Decode a piece."""
        if self._walk(READ, _task(words=to_words(code)), piece)[1] < 0:
            raise CorruptStreamError("a piece of coefficients does not decode")

    def write(self, piece: Piece) -> bytes:
        """Code of a piece."""
        most_symbols, most_bits = self._most(piece)
        symbols, bits = np.empty((most_symbols, 2), np.uint32), np.zeros(most_bits // 32 + 2, np.uint32)
        count, end = self._walk(WRITE, _task(symbols=symbols, bits=bits), piece)
        return encoded(symbols, count, bits[: end // 32 + 1].astype("<u4").tobytes().rstrip(b"\0"))

    def quantise(self, piece: Piece, quantiser: Quantiser) -> Tally:
        """Quantise a piece into the numbers."""
        tally = Tally.of(len(self._model.means))
        task = _task(
            coefficients=quantiser.coefficients,
            steps=quantiser.steps,
            costs=quantiser.costs,
            price=np.array([quantiser.price]),
            histogram=tally.histogram,
            sums=tally.sums,
        )
        self._walk(QUANTISE, task, piece)
        return tally

    def gather(self, piece: Piece, every: int = 1) -> NDArray[np.float64]:
        """Equations of a piece."""
        parts = _parts(piece)  # the same ones for any number of threads, since sums of floats have an order
        normals = np.zeros((len(parts), 8, WEIGHTS, WEIGHTS + 1))

        def some(begin: int, end: int) -> None:
            for normal, part in zip(normals[begin:end], parts[begin:end], strict=True):
                self._walk(GATHER, _task(normal=normal, every=np.array([every])), piece, part)

        share(some, [1] * len(parts))
        normal: NDArray[np.float64] = normals.sum(0)  # what lies right of the diagonal
        below = np.tril_indices(WEIGHTS, -1)
        normal[:, below[0], below[1]] = normal[:, below[1], below[0]]
        return normal

    def _most(self, piece: Piece) -> tuple[int, int]:
        """Symbols, and bits under them, that a piece may take at most; memory that is not written to costs nothing."""
        low = int(self._model.shifts[piece.bands].max(initial=0))
        return 64 + (1 + _SYMBOLS_OF_ONE) * piece.size, (low + _BITS_OF_ESCAPE) * piece.size
