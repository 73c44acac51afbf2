"""Entropy coding in lanes: four coders that take symbols in turn, so that a processor decodes four at a time.

A range coder's next symbol waits for the division of the last one. Here nothing is divided (asymmetric numeral systems,
Duda 2013, as constriction's stack coder has them), and four symbols do not wait for each other. FORMAT.md, "Lanes".
"""

from __future__ import annotations

import itertools

import constriction
import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.entropy import Decoder, Encoder, Table, take_in_parts, to_words
from tinc_codec.stream.fields import FieldReader, FieldWriter

LANES = 4
"""Symbol i of an array is in lane i modulo this."""


class LaneEncoder(Encoder):
    """Writes integers in lanes; the same calls as of `Encoder`."""

    def __init__(self) -> None:
        self._arrays: list[tuple[NDArray[np.int32], Table]] = []

    def _append(self, symbols: NDArray[np.int32], table: Table) -> None:
        self._arrays.append((symbols, table))

    def bytes(self) -> bytes:
        """The lengths of all lanes but the last, then their words."""
        lanes = [self._lane(number) for number in range(LANES)]
        out = FieldWriter()
        for lane in lanes[:-1]:
            out.count(len(lane))
        out.raw(np.concatenate(lanes).astype("<u4").tobytes())
        return out.bytes()

    def _lane(self, number: int) -> NDArray[np.uint32]:
        coder = constriction.stream.stack.AnsCoder()
        for symbols, table in reversed(self._arrays):  # a stack: what goes on it last comes off first
            mine = np.ascontiguousarray(symbols[number::LANES])
            if mine.size:
                coder.encode_reverse(mine, table.model)
        return np.asarray(coder.get_compressed(), np.uint32)


class LaneDecoder(Decoder):
    """Reads what `LaneEncoder` wrote, given the same tables in the same order.

    `tinc_codec.backends.numba.model_section` is the fast one.

    Parameters
    ----------
    section
        Whose rest are the lanes.
    """

    def __init__(self, section: FieldReader) -> None:
        lengths = [section.count(section.remaining // 4) for _ in range(LANES - 1)]
        words = to_words(section.raw(section.remaining))
        ends = np.cumsum([0, *lengths, 0])
        ends[-1] = len(words)
        if ends[-2] > ends[-1]:
            raise CorruptStreamError(f"lanes of {lengths} words and more in {len(words)} words")
        lanes = [words[begin:end] for begin, end in itertools.pairwise(ends)]
        if any(len(lane) and not lane[-1] for lane in lanes):
            raise CorruptStreamError("a lane of the entropy-coded data ends with a word of 0")
        self._coders = [constriction.stream.stack.AnsCoder(lane) for lane in lanes]

    def _decode(self, table: Table, count: int) -> NDArray[np.int32]:
        symbols = np.empty(count, np.int32)
        for number, coder in enumerate(self._coders):
            take_in_parts(coder, table, symbols[number::LANES])
        return symbols

    def end(self) -> None:
        """Raise `CorruptStreamError` unless the lanes hold what was taken from them, and nothing else."""
        if not all(coder.is_empty() for coder in self._coders):
            raise CorruptStreamError("entropy-coded data does not end where the weights do")
