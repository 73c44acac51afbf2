"""Entropy coding of integers by constriction's range coder with exact integer probability tables.

Probabilities are Laplace distributions integrated over unit intervals, indexed by one byte, and computed in integers
only: a table made of floats would differ between platforms in the last bit and desynchronise the decoder.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import constriction
import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.runtime.caching import keeping
from tinc_codec.runtime.lazy import lazy

PRECISION = 24
"""Bits of a quantile: where it lies in a table's cumulated frequencies says the symbol."""

TOTAL = 1 << PRECISION
"""Sum of a table's frequencies."""

WORD = 32
"""Bits of a word of the code; coders have states of two words."""

PLACES = 62
"""Binary places of the probabilities that frequencies are computed from."""

TABLES = 256
"""Number of Laplace distributions."""

_PART = 2**16
"""Symbols that are taken at a time."""


def decay(table: int) -> tuple[int, int]:
    """Numerator and binary exponent of the factor by which probability falls in half a step, for a table index."""
    exponent = 5 + table // 16
    return (1 << exponent) - (31 - table % 16), exponent


def laplace_frequencies(table: int, largest: int) -> NDArray[np.int64]:
    """Frequencies of the symbols -largest .. largest.

    With r = decay(table), P(0) is proportional to 1 - r and P(±k) to r^(2k-1) (1 - r^2) / 2: the integral of a Laplace
    density over each unit interval. Every product is rounded down at 62 binary places (FORMAT.md, "Tables").
    """
    numerator, exponent = decay(table)
    one, r = 1 << PLACES, (numerator << PLACES) >> exponent
    square = r * r >> PLACES
    tail = [((r * (one - square)) >> PLACES) >> 1]
    for _ in range(largest - 1):
        tail.append(tail[-1] * square >> PLACES)
    tail = tail[:largest]
    weights = [*reversed(tail), one - r, *tail]
    return _normalise(weights, largest)


def _normalise(weights: list[int], remainder_to: int) -> NDArray[np.int64]:
    """Scale weights to frequencies of at least 1 that sum to `TOTAL`; the remainder goes to one symbol."""
    total, spare = sum(weights), TOTAL - len(weights)
    frequencies = np.array([1 + weight * spare // total for weight in weights], np.int64)
    frequencies[remainder_to] += TOTAL - int(frequencies.sum())
    frequencies.flags.writeable = False
    return frequencies


def count_frequencies(counts: list[int]) -> NDArray[np.int64]:
    """Frequencies of the symbols 0 .. n - 1 that occur `counts` times; one of them at least occurs."""
    return _normalise(counts, counts.index(max(counts)))


def all_frequencies(weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """The `count_frequencies` of each row of weights below 2^38."""
    shares = 1 + weights * (TOTAL - weights.shape[1]) // weights.sum(1, keepdims=True)
    shares[np.arange(len(shares)), weights.argmax(1)] += TOTAL - shares.sum(1)
    return np.asarray(shares, np.int64)


def _bit_costs(sizes: NDArray[np.integer[Any]], largest: int) -> NDArray[np.float64]:
    """Bits of symbols of these magnitudes, shape ``(TABLES, magnitudes)``; for the encoder's choice only."""
    r = np.array([n / (1 << e) for n, e in map(decay, range(TABLES))])[:, None]
    with np.errstate(divide="ignore", under="ignore"):
        p = np.where(sizes == 0, 1 - r, 0.5 * r ** (2.0 * sizes - 1) * (1 - r * r)) / (1 - r ** (2.0 * largest + 1))
        return np.asarray(-np.log2(np.maximum(p, 2.0**-PRECISION)), np.float64)


def best_table(values: NDArray[np.integer[Any]], largest: int) -> int:
    """Index of the Laplace table that codes `values` in the fewest bits."""
    sizes, counts = np.unique(np.abs(values), return_counts=True)
    return int(np.argmin(_bit_costs(sizes, largest) @ counts))


class Table:
    """Frequencies of symbols, as the coders want them.

    Parameters
    ----------
    frequencies
        Of the symbols 0, 1, ...; of sum `TOTAL`. None: one symbol is certain, and takes no code.
    certain
        That symbol.
    """

    def __init__(self, frequencies: NDArray[np.int64] | None, certain: int = 0) -> None:
        self.frequencies, self.certain = frequencies, certain

    @classmethod
    def of(cls, weights: list[int]) -> Table:
        """Table of the symbols 0 .. n - 1 from integer weights.

        Where only one is above 0, that symbol is certain; where none is, symbol 0 is.
        """
        if np.count_nonzero(weights) <= 1:
            return cls(None, int(np.argmax([*weights, 0])))
        return cls(count_frequencies(weights))

    @property
    def nbytes(self) -> int:
        """Memory in bytes, with what is made of it at the first use."""
        return 4096 + (0 if self.frequencies is None else 5 * self.frequencies.nbytes)

    @property
    def shares(self) -> NDArray[np.int64]:
        """The frequencies of a table of which no symbol is certain."""
        assert self.frequencies is not None
        return self.frequencies

    @lazy
    def model(self) -> Any:
        """For constriction."""
        # constriction gives symbol i the frequency 1 + floor(p_i * (TOTAL - n) / sum(p)); with p_i = frequency - 1 the
        # sum is TOTAL - n, the factor exactly 1, and the frequencies come out as they are
        assert self.frequencies is not None
        return constriction.stream.model.Categorical((self.frequencies - 1).astype(np.float64), perfect=False)


@lru_cache(maxsize=64)
def uniform(bits: int) -> Table:
    """Table of 2^bits symbols that are all as likely."""
    return Table.of([1] * 2**bits)


@keeping(lambda table: table.nbytes)
def _laplace_table(table: int, largest: int) -> Table:
    return Table(laplace_frequencies(table, largest))


class Encoder:
    """Writes integers with a range coder."""

    def __init__(self) -> None:
        self._coder = constriction.stream.queue.RangeEncoder()

    def laplace(self, values: NDArray[np.integer[Any]], table: int, largest: int) -> None:
        """Append values within ±largest."""
        if largest:
            self.coded(values.astype(np.int32) + np.int32(largest), _laplace_table(table, largest))

    def symbols(self, values: NDArray[np.integer[Any]], counts: list[int]) -> None:
        """Append symbols that are 0 .. len(counts) - 1 and occur `counts` times."""
        self.coded(values, Table.of(counts))

    def coded(self, values: NDArray[np.integer[Any]], table: Table) -> None:
        """Append symbols of a table."""
        if table.frequencies is not None and values.size:
            self._append(values.ravel().astype(np.int32), table)

    def _append(self, symbols: NDArray[np.int32], table: Table) -> None:
        self._coder.encode(symbols, table.model)

    def bytes(self) -> bytes:
        """The code so far: 32-bit words, little-endian."""
        return bytes(self._coder.get_compressed().astype("<u4").tobytes())


def to_words(data: bytes) -> NDArray[np.uint32]:
    """Words of 32 bits from their bytes."""
    if len(data) % 4:
        raise CorruptStreamError(f"entropy-coded data is words of 4 bytes, but there are {len(data)} bytes")
    return np.frombuffer(data, "<u4").astype(np.uint32, copy=False)


def take_in_parts(coder: Any, table: Table, symbols: NDArray[np.int32]) -> None:
    """Fill `symbols` from a coder of constriction, a few at a time: where it finds no memory, it ends the process."""
    for begin in range(0, len(symbols), _PART):
        part = symbols[begin : begin + _PART]
        part[:] = coder.decode(table.model, len(part))


class Decoder:
    """Reads what `Encoder` wrote, given the same tables in the same order."""

    def __init__(self, data: bytes) -> None:
        self._coder = constriction.stream.queue.RangeDecoder(to_words(data))

    def laplace(self, count: int, table: int, largest: int) -> NDArray[np.int32]:
        """Take `count` values within ±largest."""
        if not largest or not count:
            return np.zeros(count, np.int32)
        return self.coded(count, _laplace_table(table, largest)) - np.int32(largest)

    def symbols(self, counts: list[int]) -> NDArray[np.int32]:
        """Take ``sum(counts)`` symbols."""
        return self.coded(sum(counts), Table.of(counts))

    def coded(self, count: int, table: Table) -> NDArray[np.int32]:
        """Take `count` symbols of a table."""
        if table.frequencies is None:
            return np.full(count, table.certain, np.int32)
        if not count:
            return np.zeros(0, np.int32)
        symbols = self._decode(table, count)
        if symbols is None:
            raise CorruptStreamError("entropy-coded data does not decode")
        return symbols

    def end(self) -> None:
        """Raise `CorruptStreamError` where more is there than the symbols that were taken need."""
        if not self._coder.maybe_exhausted():
            raise CorruptStreamError("entropy-coded data does not end where its symbols do")

    def _decode(self, table: Table, count: int) -> NDArray[np.int32] | None:
        """None: no encoder wrote these words."""
        symbols = np.empty(count, np.int32)
        try:
            take_in_parts(self._coder, table, symbols)
        except AssertionError:  # constriction's word for data that no encoder wrote
            return None
        return symbols
