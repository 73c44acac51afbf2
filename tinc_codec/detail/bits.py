"""What tokens leave open: large magnitudes, low bits and signs, as plain bits (FORMAT-draft.md, "Bits of a piece").

They lie under a piece's symbols, where the coder begins: there a bit takes a bit, and no space is lost at the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.tables import ESCAPE
from tinc_codec.errors import CorruptStreamError

LARGEST = 2**31 - 1
LENGTH = 5
"""Bits that say how many follow a token of `ESCAPE`."""


class Reader:
    """Bits of a piece, low ones first; those beyond the end are 0."""

    def __init__(self, rest: bytes) -> None:
        self._bits = np.unpackbits(np.frombuffer(rest, np.uint8), bitorder="little")
        self._at = 0

    def take(self, count: int, bits: int) -> NDArray[np.int64]:
        """Numbers of so many bits."""
        some = self._bits[self._at : self._at + count * bits]
        self._at += count * bits
        wide = np.zeros((count, bits), np.int64)
        wide.ravel()[: len(some)] = some
        return np.asarray(wide @ (1 << np.arange(bits, dtype=np.int64)))

    def numbers(self, tokens: NDArray[np.int64], shift: int) -> NDArray[np.int64]:
        """Numbers of one band in a piece, from their tokens, in C order."""
        values = tokens.astype(np.int64)
        for place in np.flatnonzero(values == ESCAPE).tolist():
            bits = int(self.take(1, LENGTH)[0])
            values[place] += (1 << bits) - 1 + int(self.take(1, bits)[0])
        if shift:
            values = (values << shift) + self.take(len(values), shift)
        if values.max(initial=0) > LARGEST:
            raise CorruptStreamError(f"a coefficient of {values.max()} steps")
        signed = np.flatnonzero(values)
        values[signed] = np.where(self.take(len(signed), 1), -values[signed], values[signed])
        return values

    def end(self) -> None:
        """Raise `CorruptStreamError` if there are more bits."""
        if self._bits[self._at :].any():
            raise CorruptStreamError("a piece of coefficients does not end where its bits do")


class Writer:
    """Writes what `Reader` reads."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint8]] = []

    def put(self, values: NDArray[np.int64], bits: int) -> None:
        """Append numbers of so many bits."""
        self._parts.append((values[:, None] >> np.arange(bits) & 1).astype(np.uint8).ravel())

    def numbers(self, numbers: NDArray[np.int64], shift: int) -> None:
        """Append what is not in the tokens of one band's numbers."""
        values = np.abs(numbers)
        for beyond in ((values[values >> shift >= ESCAPE] >> shift) - ESCAPE + 1).tolist():
            bits = beyond.bit_length() - 1
            self.put(np.array([bits]), LENGTH)
            self.put(np.array([beyond - (1 << bits)]), bits)
        if shift:
            self.put(values & ((1 << shift) - 1), shift)
        self.put((numbers[numbers != 0] < 0).astype(np.int64), 1)

    def bytes(self) -> bytes:
        """All bits, without bytes of 0 at the end."""
        nothing = np.zeros(0, np.uint8)
        return np.packbits(np.concatenate([nothing, *self._parts]), bitorder="little").tobytes().rstrip(b"\0")
