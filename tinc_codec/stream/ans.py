"""Entropy coding of one short piece: a coder of asymmetric numeral systems, and a code that ends with its last byte.

What `tinc_codec.stream.ans_lanes` has four of. A piece is a few hundred bytes, so that nothing of it may be wasted:
no lengths, and no bytes of 0 at the end. FORMAT.md, "Pieces".
"""

from __future__ import annotations

import constriction
import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.entropy import PRECISION, WORD, Decoder, Table

_MASK = (1 << WORD) - 1


def encode(begins: NDArray[np.uint32], frequencies: NDArray[np.uint32], rest: bytes = b"") -> bytes:
    """Code of symbols, given where each one's share of `TOTAL` begins and how large it is, in the order of decoding.

    Parameters
    ----------
    rest
        Bits that are left when the symbols are decoded, low ones first; no bytes of 0 at the end.
    """
    words, state = under(rest)
    for begin, frequency in zip(reversed(begins.tolist()), reversed(frequencies.tolist()), strict=True):
        if state >= frequency << (2 * WORD - PRECISION):
            words.append(state & _MASK)
            state >>= WORD
        state = (state // frequency << PRECISION) + state % frequency + begin
    return to_bytes(words, state)


def under(rest: bytes) -> tuple[list[int], int]:
    """Words and the state that the coder begins with, so that these bits are left."""
    bits = int.from_bytes(rest, "little")
    count = max(0, (bits.bit_length() - WORD - 1) // WORD)
    return np.frombuffer(rest, "<u4", count).tolist(), bits >> WORD * count


def to_bytes(words: list[int], state: int) -> bytes:
    """Words and the last state as bytes, without those of 0 at the end."""
    return np.array([*words, state & _MASK, state >> WORD], "<u4").tobytes().rstrip(b"\0")


def to_words(code: bytes) -> NDArray[np.uint32]:
    """Words of a code; the last one is not 0."""
    if code.endswith(b"\0"):
        raise CorruptStreamError("a piece of entropy-coded data ends with a byte of 0")
    return np.frombuffer(code + bytes(-len(code) % 4), "<u4").astype(np.uint32)


class PieceDecoder(Decoder):
    """Reads what `encode` wrote, given the same tables in the same order."""

    def __init__(self, code: bytes) -> None:
        self._coder = constriction.stream.stack.AnsCoder(to_words(code))

    def _decode(self, table: Table, count: int) -> NDArray[np.int32]:
        return np.asarray(self._coder.decode(table.model, count), np.int32)

    def rest(self) -> bytes:
        """What is left, see `encode`; no bytes of 0 at the end."""
        return np.asarray(self._coder.get_compressed(), "<u4").tobytes().rstrip(b"\0")

    def end(self) -> None:
        """Raise `CorruptStreamError` unless all has been taken."""
        if not self._coder.is_empty():
            raise CorruptStreamError("a piece of entropy-coded data does not end where its coefficients do")
