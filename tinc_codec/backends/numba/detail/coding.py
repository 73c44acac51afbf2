"""Pieces read and written, compiled: the symbols of `tinc_codec.detail.coding` in the same order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.tables import LEAST_MEMBERS, TOKENS, ClassTables
from tinc_codec.stream.ans import to_bytes, under

_BITS = 8
PIECE = 12


class Lookups(NamedTuple):
    """Tables of all classes as arrays: where shares of 2^24 begin, first candidates, zeros of runs, longest runs.

    They are short: between passes, little of them stays in the first cache.
    """

    tokens: Any
    first: Any
    above: Any
    above_first: Any
    zeros: Any
    longest: Any


def lookups(tables: ClassTables) -> Lookups:
    """Prepare tables, of `CLASSES` classes at most."""
    count = len(tables.tokens)
    tokens, above = np.zeros((count, TOKENS + 1), np.uint32), np.zeros((count, TOKENS), np.uint32)
    np.cumsum(tables.tokens, 1, out=tokens[:, 1:])
    np.cumsum(tables.above_zero, 1, out=above[:, 1:])
    longest = np.count_nonzero(tables.zeros, axis=1) - 1
    return Lookups(tokens, _first(tokens), above, _first(above), tables.zeros.astype(np.uint64), longest)


def _first(cumulated: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The last symbol that begins at or before all quantiles with the same leading bits; `cumulated` begins with 0."""
    ends = -(-cumulated[:, 1:].astype(np.int64) >> (24 - _BITS))
    first = np.zeros((len(cumulated), (1 << _BITS) + 1), np.int32)
    np.add.at(first, (np.arange(len(ends))[:, None], ends), 1)
    return first.cumsum(1)[:, :-1].astype(np.uint8)


@jit
def _refill(words: Any, state: Any) -> None:
    if state[0] < np.uint64(4294967296) and state[1] > np.uint64(0):
        state[1] -= np.uint64(1)
        state[0] = (state[0] << np.uint64(32)) | np.uint64(words[np.int64(state[1])])


@jit
def begin(words: Any, state: Any) -> None:
    """Set the state: a number, and how many words are left."""
    state[0], state[1] = np.uint64(0), np.uint64(len(words))
    _refill(words, state)
    _refill(words, state)


@jit
def take(words: Any, state: Any, cumulated: Any, first: Any, c: int) -> Any:
    """The next symbol of a class."""
    quantile = state[0] & np.uint64(16777215)
    symbol = np.int64(first[c, np.int64(quantile >> np.uint64(24 - _BITS))])
    while cumulated[c, symbol + 1] <= quantile:
        symbol += 1
    low = np.uint64(cumulated[c, symbol])
    state[0] = (state[0] >> np.uint64(24)) * (np.uint64(cumulated[c, symbol + 1]) - low) + (quantile - low)
    _refill(words, state)
    return symbol


@jit
def take_flag(words: Any, state: Any, zero: Any) -> Any:
    """The next of two symbols, of which 0 has the share `zero`."""
    quantile = state[0] & np.uint64(16777215)
    flag = quantile >= zero
    if flag:
        state[0] = (state[0] >> np.uint64(24)) * (np.uint64(16777216) - zero) + (quantile - zero)
    else:
        state[0] = (state[0] >> np.uint64(24)) * zero + quantile
    _refill(words, state)
    return flag


@jit
def take_bits(words: Any, state: Any, bits: int) -> Any:
    """The next `bits` bits, low ones first in pieces of 12."""
    value = np.int64(0)
    for low in range(0, bits, PIECE):
        shift = np.uint64(24 - min(PIECE, bits - low))
        quantile = state[0] & np.uint64(16777215)
        symbol = quantile >> shift
        state[0] = ((state[0] >> np.uint64(24)) << shift) + (quantile - (symbol << shift))
        _refill(words, state)
        value |= np.int64(symbol) << low
    return value


@jit
def put(symbols: Any, at: int, begin: int, frequency: int) -> Any:
    """Note a symbol."""
    symbols[at, 0], symbols[at, 1] = begin, frequency
    return at + 1


@jit
def put_bits(symbols: Any, at: int, value: int, bits: int) -> Any:
    """Note bits, see `take_bits`."""
    for low in range(0, bits, PIECE):
        shift = 24 - min(PIECE, bits - low)
        part = (value >> low) & ((1 << (24 - shift)) - 1)
        at = put(symbols, at, part << shift, 1 << shift)
    return at


@jit
def sort(classes: Any, count: int, order: Any, ends: Any, places: Any) -> None:
    """Coefficients of a pass by class; `ends` where each class begins in `order`.

    Both halves are counted and placed in turn, so that no step waits for what the one before has counted up.

    Parameters
    ----------
    places
        To work in, shape ``(2, CLASSES)``.
    """
    half = count // 2
    places[:] = 0
    for k in range(half):
        places[0, classes[k]] += 1
        places[1, classes[half + k]] += 1
    if count % 2:
        places[1, classes[count - 1]] += 1
    at = 0
    for c in range(CLASSES):
        ends[c], one, two = at, places[0, c], places[1, c]
        places[0, c], places[1, c] = at, at + one
        at += one + two
    ends[CLASSES] = at
    for k in range(half):
        c, d = classes[k], classes[half + k]
        order[places[0, c]] = k
        places[0, c] += 1
        order[places[1, d]] = half + k
        places[1, d] += 1
    if count % 2:
        order[places[1, classes[count - 1]]] = count - 1


@jit
def _take_runs(
    words: Any, state: Any, tables: Lookups, c: int, order: Any, begin: int, end: int, places: Any, tokens: Any,
    count: int,
) -> Any:  # fmt: skip
    """See `_take_class`, of a class whose zeros come in runs."""
    k = tables.longest[c]
    while begin < end:
        while 1 << k > end - begin:
            k -= 1
        if not take_flag(words, state, tables.zeros[c, k]):
            begin += 1 << k
            continue
        begin += take_bits(words, state, k)
        places[count] = order[begin]
        tokens[count] = 1 + take(words, state, tables.above, tables.above_first, c)
        begin += 1
        count += 1
    return count


@jit
def put_runs(symbols: Any, at: int, tables: Lookups, c: int, order: Any, begin: int, end: int, tokens: Any) -> Any:
    """Note what `take_runs` takes."""
    zeros, k, above = tables.zeros[c], tables.longest[c], tables.above[c]
    following = begin
    while begin < end:
        while 1 << k > end - begin:
            k -= 1
        following = max(following, begin)
        while following < end and tokens[order[following]] == 0:
            following += 1
        zero = np.int64(zeros[k])
        if following >= begin + (1 << k):
            at = put(symbols, at, 0, zero)
            begin += 1 << k
            continue
        at = put(symbols, at, zero, 16777216 - zero)
        at = put_bits(symbols, at, following - begin, k)
        token = tokens[order[following]] - 1
        at = put(symbols, at, np.int64(above[token]), np.int64(above[token + 1] - above[token]))
        begin = following + 1
    return at


@jit
def _take_class(
    words: Any, state: Any, tables: Lookups, c: int, order: Any, begin: int, end: int, places: Any, tokens: Any,
    count: int,
) -> Any:  # fmt: skip
    """Append the tokens of a class that are not 0, and their places, to `count` others; how many there are then."""
    if tables.longest[c] >= 0 and end - begin >= LEAST_MEMBERS:
        return _take_runs(words, state, tables, c, order, begin, end, places, tokens, count)
    for k in range(begin, end):
        token = take(words, state, tables.tokens, tables.first, c)
        places[count], tokens[count] = order[k], token
        count += token > 0
    return count


@jit
def take_tokens(words: Any, state: Any, tables: Lookups, ends: Any, order: Any, places: Any, tokens: Any) -> Any:
    """Decode the tokens of a pass, class by class; how many are not 0.

    Parameters
    ----------
    places, tokens
        Where those are, and what they are; one more than there are coefficients.
    """
    count = 0
    for c in range(CLASSES):
        if ends[c + 1] > ends[c]:
            count = _take_class(words, state, tables, c, order, ends[c], ends[c + 1], places, tokens, count)
    return count


@jit
def put_tokens(symbols: Any, at: int, tables: Lookups, ends: Any, order: Any, tokens: Any) -> Any:
    """Note what `take_tokens` takes."""
    for c in range(CLASSES):
        if ends[c + 1] == ends[c]:
            continue
        if tables.longest[c] >= 0 and ends[c + 1] - ends[c] >= LEAST_MEMBERS:
            at = put_runs(symbols, at, tables, c, order, ends[c], ends[c + 1], tokens)
        else:
            table = tables.tokens[c]
            for k in range(ends[c], ends[c + 1]):
                token = tokens[order[k]]
                at = put(symbols, at, np.int64(table[token]), np.int64(table[token + 1] - table[token]))
    return at


@jit
def finish(symbols: Any, count: int, words: Any, filled: int, state: Any) -> Any:
    """Words of the symbols noted, as `tinc_codec.stream.ans.encode` has them: how many, and the last state.

    `filled`, `state`: what the coder begins with.
    """
    for k in range(count - 1, -1, -1):
        low, frequency = np.uint64(symbols[k, 0]), np.uint64(symbols[k, 1])
        if (state >> np.uint64(40)) >= frequency:
            words[filled] = np.uint32(state & np.uint64(4294967295))
            filled += 1
            state >>= np.uint64(32)
        whole = state // frequency
        state = (whole << np.uint64(24)) + (state - whole * frequency) + low
    return filled, state


def encoded(symbols: NDArray[np.uint32], count: int, rest: bytes = b"") -> bytes:
    """Code of the symbols noted, over the bits of `rest`; see `tinc_codec.stream.ans.encode`."""
    below, state = under(rest)
    words = np.zeros(len(below) + count + 2, np.uint32)
    words[: len(below)] = below
    filled, state = finish(symbols, count, words, len(below), np.uint64(state))
    return to_bytes(words[:filled].tolist(), int(state))
