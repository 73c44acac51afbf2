"""Masks, compiled: the bytes and voxels of `tinc_codec.detail.mask`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.coding import Lookups, begin, encoded, lookups, put_tokens, take_tokens
from tinc_codec.backends.numba.detail.mask_contexts import AXES, Known, contexts
from tinc_codec.detail import mask as reference
from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.mask import KINDS, NEAREST, ONE, PARTS, UNDIVIDED
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.ans import to_words

_SYMBOLS = 3
"""Symbols of a voxel, at most: that a run ends, how far on, and with what."""


class _Coder(NamedTuple):
    """What is read or written: `words` and the `state` of one, or `symbols` and how many, `progress`."""

    reads: bool
    words: Any
    state: Any
    symbols: Any
    progress: Any


class _Counts(NamedTuple):
    """How often voxels were unset and set: by kind; by pass and kind; by pass, kind and which are near."""

    kinds: Any
    passes: Any
    near: Any


class _Space(NamedTuple):
    """Arrays to work in, for one pass: see `tinc_codec.backends.numba.detail.space.Space`.

    `runs`: where voxels begin that have the same context, in order. `places`, `less`: what `take_tokens` gives.
    """

    contexts: Any
    values: Any
    tokens: Any
    order: Any
    runs: Any
    places: Any
    less: Any


def _counts(axes: int) -> _Counts:
    many = 1 << axes
    shapes = ((2, KINDS), (2, many, KINDS), (2, many, KINDS << NEAREST))
    return _Counts(*(np.zeros(shape, np.int64) for shape in shapes))


def _space(size: int) -> _Space:
    values, tokens, less = np.empty((3, size + 1), np.uint8)
    order, runs, places = np.empty((3, size + 1), np.int32)
    return _Space(np.empty(size, np.int16), values[:size], tokens[:size], order, runs, places, less)


@lru_cache(maxsize=1)
def _tables() -> tuple[Lookups, NDArray[np.int64]]:
    """Of the classes, and the likelihoods that they end at."""
    return lookups(reference.tables()), reference.ends().astype(np.int64)


def pack(mask: NDArray[np.bool_]) -> bytes:
    """Code of a mask of 1 to 4 axes."""
    symbols = np.empty((64 + _SYMBOLS * mask.size, 2), np.uint32)
    coder = _Coder(False, np.zeros(0, np.uint32), np.zeros(2, np.uint64), symbols, np.zeros(1, np.int64))
    _walk(mask.copy(), coder)
    return encoded(symbols, int(coder.progress[0]))


def unpack(section: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask of a chunk of `shape`, 1 to 4 axes.

    Raises
    ------
    CorruptStreamError
        No encoder wrote it.
    """
    words, state = to_words(section), np.zeros(2, np.uint64)
    begin(words, state)
    mask = np.zeros(shape, np.bool_)
    _walk(mask, _Coder(True, words, state, np.zeros((0, 2), np.uint32), np.zeros(1, np.int64)))
    if state.any():
        raise CorruptStreamError("a piece of entropy-coded data does not end where its mask does")
    return mask


def _walk(mask: NDArray[np.bool_], coder: _Coder) -> None:
    shape = tuple(n for n in mask.shape if n != 1) or (1,)
    axes, tables, ends = len(shape), *_tables()
    volume = np.ascontiguousarray(mask).reshape((1,) * (AXES - axes) + shape).view(np.uint8)
    counts, known = _counts(axes), Known(volume, axes)
    for step in reference.passes(axes, reference.levels(shape)):
        members = known.members(step)
        if not members.size:
            continue
        kinds = (reference.kinds(step) << NEAREST).astype(np.int16)
        w, parts = _space(members.size), PARTS if members.size > UNDIVIDED else 1
        shares = np.array(step.shares, np.int64)
        contexts(known.flat, known.around(step), known.strides, shares, kinds, members.shape, w.contexts)
        if not coder.reads:
            w.values.reshape(members.shape)[...] = members
        if not _code(step.number, parts, coder, counts, tables, ends, w):
            raise CorruptStreamError("a mask of more than two values")
        members[...] = w.values.reshape(members.shape)
        known.enter(step)


@jit
def _by_kind(number: int, counts: _Counts, out: Any) -> None:
    """Likelihood of being set, in 2^-24, of each kind of context of a pass."""
    for kind in range(KINDS):
        wide = min(max(kind * ONE // (KINDS - 1), ONE // 64), ONE - ONE // 64)
        unset, those = counts.kinds[0, kind], counts.kinds[1, kind]
        wide = (those * ONE + 2 * wide) // (unset + those + 2)
        unset, those = counts.passes[0, number, kind], counts.passes[1, number, kind]
        out[kind] = (those * ONE + 4 * wide) // (unset + those + 4)


@jit
def _foretell(number: int, counts: _Counts, ends: Any, contexts: Any, runs: Any, count: int, guesses: Any) -> None:
    """Of the contexts of some runs the likelier value, and the class of how likely it is."""
    wide, known = np.empty(KINDS, np.int64), np.zeros(KINDS << NEAREST, np.bool_)
    _by_kind(number, counts, wide)
    for run in range(count):
        context = contexts[runs[run]]
        if not known[context]:
            unset, those = counts.near[0, number, context], counts.near[1, number, context]
            likely = (those * ONE + 4 * wide[context >> NEAREST]) // (unset + those + 4)
            known[context], guesses[0, context] = True, 2 * likely > ONE
            share = likely if 2 * likely > ONE else ONE - likely
            guesses[1, context] = np.searchsorted(ends, share, side="right")


@jit
def _runs(contexts: Any, runs: Any) -> Any:
    """Where each run of voxels of the same context begins, and the end; how many there are."""
    count, last = 0, -1
    for k in range(len(contexts)):
        runs[count] = k
        count += contexts[k] != last
        last = contexts[k]
    runs[count] = len(contexts)
    return count


@jit
def _learn(number: int, counts: _Counts, contexts: Any, values: Any, runs: Any, count: int) -> None:
    for run in range(count):
        begin, end, those = runs[run], runs[run + 1], 0
        for k in range(begin, end):
            those += values[k]
        context, unset = np.int64(contexts[begin]), end - begin - those
        counts.near[0, number, context] += unset
        counts.near[1, number, context] += those
        counts.passes[0, number, context >> NEAREST] += unset
        counts.passes[1, number, context >> NEAREST] += those
        counts.kinds[0, context >> NEAREST] += unset
        counts.kinds[1, context >> NEAREST] += those


@jit
def _sort(contexts: Any, classes: Any, runs: Any, count: int, order: Any, ends: Any) -> None:
    """Voxels by class, those of each in order; `ends` where each class begins."""
    ends[:] = 0
    for run in range(count):
        ends[classes[contexts[runs[run]]] + 1] += runs[run + 1] - runs[run]
    for c in range(CLASSES):
        ends[c + 1] += ends[c]
    places = ends[:CLASSES].copy()
    for run in range(count):
        c, begin, size = classes[contexts[runs[run]]], runs[run], runs[run + 1] - runs[run]
        target = order[places[c] : places[c] + size]
        for k in range(len(target)):
            target[k] = begin + k
        places[c] += size


@jit
def _take(coder: _Coder, tables: Lookups, begins: Any, w: _Space, out: Any) -> bool:
    """Read which voxels have the less likely value; whether that is all there is."""
    unlikely, most = take_tokens(coder.words, coder.state, tables, begins, w.order, w.places, w.less), 0
    for k in range(unlikely):
        out[w.places[k]] = w.less[k]
        most = max(most, w.less[k])
    return bool(most <= 1)


@jit
def _code(number: int, parts: int, coder: _Coder, counts: _Counts, tables: Lookups, ends: Any, w: _Space) -> bool:
    """Code the voxels of a pass part by part; whether each is one of two values."""
    guesses, begins, size = np.empty((2, KINDS << NEAREST), np.uint8), np.zeros(CLASSES + 1, np.int64), len(w.values)
    for part in range(parts):
        first, last = size * part // parts, size * (part + 1) // parts
        contexts, values, tokens = w.contexts[first:last], w.values[first:last], w.tokens[first:last]
        count = _runs(contexts, w.runs)
        _foretell(number, counts, ends, contexts, w.runs, count, guesses)
        _sort(contexts, guesses[1], w.runs, count, w.order, begins)
        if coder.reads:
            tokens[:] = 0
            if not _take(coder, tables, begins, w, tokens):
                return False
            _exchange(contexts, guesses[0], w.runs, count, tokens, values)
        else:
            _exchange(contexts, guesses[0], w.runs, count, values, tokens)
            coder.progress[0] = put_tokens(coder.symbols, coder.progress[0], tables, begins, w.order, tokens)
        _learn(number, counts, contexts, values, w.runs, count)
    return True


@jit
def _exchange(contexts: Any, likelier: Any, runs: Any, count: int, source: Any, out: Any) -> None:
    """Values from whether they are the less likely ones, and the other way."""
    for run in range(count):
        likely = likelier[contexts[runs[run]]]
        for k in range(runs[run], runs[run + 1]):
            out[k] = source[k] ^ likely
