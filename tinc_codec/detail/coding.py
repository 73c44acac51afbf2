"""Tokens, low bits and signs of one pass: read, and written as shares of 2^24 (FORMAT-draft.md, "Passes")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.tables import ESCAPE, LEAST_MEMBERS, ClassTable
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.ans import PieceDecoder, encode
from tinc_codec.stream.entropy import Table, uniform

PIECE = 12
"""Bits that are as likely as not are coded at most this many at a time, low ones first."""

LARGEST = 2**31 - 1


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


def read_tokens(decoder: PieceDecoder, tables: tuple[ClassTable, ...], classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Tokens of a pass of `classes`, in C order."""
    values = np.zeros(classes.size, np.int64)
    for number, places in groups(classes):
        table = tables[number]
        by_runs = table.runs and len(places) >= LEAST_MEMBERS
        values[places] = _run(decoder, table, len(places)) if by_runs else decoder.coded(len(places), table.tokens)
    return values


def read_pass(
    decoder: PieceDecoder, tables: tuple[ClassTable, ...], classes: NDArray[np.uint8], shift: int
) -> NDArray[np.int64]:
    """Numbers of a pass whose coefficients are of `classes`, in C order."""
    values = read_tokens(decoder, tables, classes)
    for place in np.flatnonzero(values == ESCAPE).tolist():
        bits = int(_bits(decoder, 5, 1)[0])
        values[place] += (1 << bits) - 1 + int(_bits(decoder, bits, 1)[0])
    if shift:
        values = (values << shift) + _bits(decoder, shift, classes.size)
    if values.max(initial=0) > LARGEST:
        raise CorruptStreamError(f"a coefficient of {values.max()} steps")
    signed = np.flatnonzero(values)
    values[signed] = np.where(decoder.coded(len(signed), uniform(1)), -values[signed], values[signed])
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

    def code(self) -> bytes:
        """All of them, encoded."""
        if not self._begins:
            return b""
        return encode(np.concatenate(self._begins), np.concatenate(self._frequencies))


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


def write_tokens(
    symbols: Symbols, tables: tuple[ClassTable, ...], classes: NDArray[np.uint8], tokens: NDArray[np.int64]
) -> None:
    """Append what `read_tokens` reads."""
    for number, places in groups(classes):
        if tables[number].runs and len(places) >= LEAST_MEMBERS:
            _write_run(symbols, tables[number], tokens[places])
        else:
            symbols.put(tokens[places], tables[number].tokens)


def write_pass(
    symbols: Symbols, tables: tuple[ClassTable, ...], classes: NDArray[np.uint8], shift: int, numbers: NDArray[np.int64]
) -> None:
    """Append what `read_pass` reads."""
    values = np.abs(numbers)
    tokens = np.minimum(values >> shift, ESCAPE)
    write_tokens(symbols, tables, classes, tokens)
    for rest in ((values[tokens == ESCAPE] >> shift) - ESCAPE + 1).tolist():
        bits = rest.bit_length() - 1
        symbols.bits(np.array([bits]), 5)
        symbols.bits(np.array([rest - (1 << bits)]), bits)
    if shift:
        symbols.bits(values & ((1 << shift) - 1), shift)
    signed = numbers[numbers != 0]
    symbols.put((signed < 0).astype(np.int64), uniform(1))
