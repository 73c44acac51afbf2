"""Tokens of one pass: read, and written as shares of 2^24 (FORMAT.md, "Tokens of a pass")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.tables import LEAST_MEMBERS, ClassTable, ClassTables
from tinc_codec.stream.ans import PieceDecoder, encode
from tinc_codec.stream.entropy import Table, uniform

PIECE = 12
"""Bits that are as likely as not are coded at most this many at a time, low ones first."""


def groups(classes: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Places of each class that occurs, classes ascending, places in order."""
    order, begin = np.argsort(classes, kind="stable"), 0
    for number, count in enumerate(np.bincount(classes).tolist()):
        if count:
            yield number, order[begin : begin + count]
            begin += count


def pieces(bits: int) -> list[tuple[int, int]]:
    """Bits as (lowest, count) of each piece."""
    return [(low, min(PIECE, bits - low)) for low in range(0, bits, PIECE)]


def _bits(decoder: PieceDecoder, bits: int, count: int) -> NDArray[np.int64]:
    """Numbers of so many bits, piece by piece."""
    values = np.zeros(count, np.int64)
    for low, size in pieces(bits):
        values += decoder.coded(count, uniform(size)).astype(np.int64) << low
    return values


def _run(decoder: PieceDecoder, table: ClassTable, count: int) -> NDArray[np.int64]:
    """Tokens of a class whose zeros come in runs."""
    tokens, at = np.zeros(count, np.int64), 0
    while at < count:
        k = min(len(table.runs), (count - at).bit_length()) - 1
        if not decoder.coded(1, table.runs[k])[0]:
            at += 1 << k
            continue
        at += int(_bits(decoder, k, 1)[0])
        tokens[at] = 1 + decoder.coded(1, table.above_zero)[0]
        at += 1
    return tokens


def read_tokens(decoder: PieceDecoder, tables: ClassTables, classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Tokens of a pass of `classes`, in C order."""
    values = np.zeros(classes.size, np.int64)
    for number, places in groups(classes):
        table = tables[number]
        by_runs = table.runs and len(places) >= LEAST_MEMBERS
        values[places] = _run(decoder, table, len(places)) if by_runs else decoder.coded(len(places), table.tokens)
    return values


class Symbols:
    """Symbols of a piece, as shares of 2^24, in the order in which they will be read."""

    def __init__(self) -> None:
        self._begins: list[NDArray[np.int64]] = []
        self._frequencies: list[NDArray[np.int64]] = []

    def put(self, values: NDArray[Any], table: Table) -> None:
        """Append symbols of a table."""
        assert table.frequencies is not None
        self._begins.append((np.cumsum(table.frequencies) - table.frequencies)[values])
        self._frequencies.append(table.frequencies[values])

    def bits(self, values: NDArray[np.int64], bits: int) -> None:
        """Append numbers of so many bits, piece by piece."""
        for low, size in pieces(bits):
            self.put(values >> low & ((1 << size) - 1), uniform(size))

    def code(self, rest: bytes = b"") -> bytes:
        """All of them, encoded, over the bits of `rest`."""
        nothing = np.zeros(0, np.int64)
        return encode(np.concatenate([nothing, *self._begins]), np.concatenate([nothing, *self._frequencies]), rest)


def _write_run(symbols: Symbols, table: ClassTable, tokens: NDArray[np.int64]) -> None:
    at, count = 0, len(tokens)
    for place in [*np.flatnonzero(tokens).tolist(), count]:
        while at < count:
            k = min(len(table.runs), (count - at).bit_length()) - 1
            one = int(place < at + (1 << k))
            symbols.put(np.array([one]), table.runs[k])
            if one:
                symbols.bits(np.array([place - at]), k)
                symbols.put(tokens[place : place + 1] - 1, table.above_zero)
                at = place + 1
                break
            at += 1 << k


def write_tokens(symbols: Symbols, tables: ClassTables, classes: NDArray[np.uint8], tokens: NDArray[np.int64]) -> None:
    """Append what `read_tokens` reads."""
    for number, places in groups(classes):
        if tables[number].runs and len(places) >= LEAST_MEMBERS:
            _write_run(symbols, tables[number], tokens[places])
        else:
            symbols.put(tokens[places], tables[number].tokens)
