"""Masks, compiled: the bytes and voxels of `tinc_codec.detail.mask`."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.coding import Lookups, begin, encoded, lookups, put_tokens, take_tokens
from tinc_codec.detail import mask as reference
from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.mask import BORDER, KINDS, NEAREST, ONE, PARTS, UNDIVIDED, Pass
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.ans import to_words

_AXES = 4
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
    volume = np.ascontiguousarray(mask).reshape((1,) * (_AXES - axes) + shape).view(np.uint8)
    counts, known = _counts(axes), _Known(volume, axes)
    for step in reference.passes(axes, reference.levels(shape)):
        members = known.members(step)
        if not members.size:
            continue
        kinds = (reference.kinds(step) << NEAREST).astype(np.int16)
        w, parts = _space(members.size), PARTS if members.size > UNDIVIDED else 1
        shares = np.array(step.shares, np.int64)
        _contexts(known.flat, known.around(step), known.strides, shares, kinds, members.shape, w.contexts)
        if not coder.reads:
            w.values.reshape(members.shape)[...] = members
        if not _code(step.number, parts, coder, counts, tables, ends, w):
            raise CorruptStreamError("a mask of more than two values")
        members[...] = w.values.reshape(members.shape)
        known.enter(step)


class _Known:
    """The voxels of a lattice that are known, those of each parity with a border, one after the other in `flat`.

    Everything has four axes; the first ones, of length 1, have no border and one parity. All parities have the same
    shape, so that a neighbour is a constant number of places away.
    """

    def __init__(self, volume: NDArray[np.uint8], axes: int) -> None:
        self._volume, self._missing, self._level = volume, _AXES - axes, -1
        self.flat, self.strides = np.zeros(0, np.uint8), np.zeros(_AXES, np.int64)
        self._shape: tuple[int, ...] = ()

    def members(self, step: Pass) -> NDArray[np.uint8]:
        """The voxels of a pass, a view."""
        lattice = self._lattice(step.level)
        if not step.neighbours:
            return lattice
        if step.level != self._level:
            self._begin(step.level)
        return lattice[tuple(slice(odd, None, 2) for odd in self._wide(step.parity))]

    def around(self, step: Pass) -> NDArray[np.int64]:
        """Where each neighbour of the first voxel lies in `flat`."""
        if not step.neighbours:
            return np.zeros(0, np.int64)
        sums = np.add(np.array(step.neighbours, np.int64), np.array(step.parity, np.int64))
        lengths = np.array(self._lattice(step.level).shape[self._missing :])
        odd = np.where(lengths > 1, sums % 2, 0)  # along an axis of one voxel that has no odd one, it is that voxel
        numbers = odd @ (1 << np.arange(len(lengths))[::-1])
        places = (BORDER + (sums >> 1)) @ self.strides[self._missing :]
        return np.asarray(numbers * math.prod(self._shape) + places, np.int64)

    def enter(self, step: Pass) -> None:
        """Make the voxels of a pass known."""
        if step.neighbours:
            self._enter(step.parity)

    def _begin(self, level: int) -> None:
        """Turn to a finer lattice, whose even voxels are known."""
        self._level, lattice = level, self._lattice(level)
        borders = [0] * self._missing + [2 * BORDER] * (_AXES - self._missing)
        self._shape = tuple((n + 1) // 2 + more for n, more in zip(lattice.shape, borders, strict=True))
        self.flat = np.empty(math.prod(self._shape) << (_AXES - self._missing), np.uint8)
        self.strides = np.array([math.prod(self._shape[axis + 1 :]) for axis in range(_AXES)])
        self._enter((0,) * (_AXES - self._missing))

    def _enter(self, parity: tuple[int, ...]) -> None:
        number = sum(odd << axis for axis, odd in enumerate(reversed(parity)))
        bordered = self.flat.reshape(-1, *self._shape)[number]
        borders = [0] * self._missing + [BORDER] * (_AXES - self._missing)
        _fill(
            self._lattice(self._level)[tuple(slice(odd, None, 2) for odd in self._wide(parity))],
            np.array(borders),
            bordered,
        )

    def _wide(self, parity: tuple[int, ...]) -> tuple[int, ...]:
        return (0,) * self._missing + parity

    def _lattice(self, level: int) -> NDArray[np.uint8]:
        return self._volume[(slice(None, None, 2**level),) * _AXES]


@jit
def _fill(members: Any, borders: Any, out: Any) -> None:
    """Members and a border of the outermost ones, repeated."""
    n0, n1, n2, n3 = members.shape
    for t in range(out.shape[0]):
        for z in range(out.shape[1]):
            for y in range(out.shape[2]):
                source = members[
                    min(max(t - borders[0], 0), n0 - 1),
                    min(max(z - borders[1], 0), n1 - 1),
                    min(max(y - borders[2], 0), n2 - 1),
                ]
                target, first = out[t, z, y], borders[3]
                for x in range(n3):
                    target[first + x] = source[x]
                target[:first] = source[0]
                target[first + n3 :] = source[n3 - 1]


@jit
def _contexts(flat: Any, starts: Any, strides: Any, shares: Any, kinds: Any, shape: Any, out: Any) -> None:
    """Of the voxels of a pass: how much around them is set, and below that which of the nearest are.

    Plane by plane, of which the ends of rows are passed over afterwards.
    """
    rows, n, at = shape[2], shape[3], 0
    size = (rows - 1) * strides[2] + n
    total, near, alike = np.empty(size, np.int16), np.empty(size, np.uint8), np.empty(size, np.uint8)
    for t in range(shape[0]):
        for z in range(shape[1]):
            total[:] = 0
            near[:] = 0
            for k in range(len(starts)):
                begin = starts[k] + t * strides[0] + z * strides[1]
                there = flat[begin : begin + size]
                if k < NEAREST:
                    _mark(there, np.uint8(1 << k), near)
                _append(there, k == 0 or shares[k] != shares[k - 1], alike)
                if k + 1 == len(starts) or shares[k] != shares[k + 1]:
                    _count(alike, np.int16(shares[k]), total)
            for y in range(rows):
                row = y * strides[2]
                _to_contexts(total[row : row + n], near[row : row + n], kinds, out[at : at + n])
                at += n


@jit
def _to_contexts(total: Any, near: Any, kinds: Any, out: Any) -> None:
    for x in range(len(total)):
        out[x] = kinds[np.uint16(total[x])] | near[x]  # an index without a sign needs no look at it


@jit
def _append(there: Any, first: bool, alike: Any) -> None:
    """How many of those are set that count the same."""
    if first:
        alike[:] = there
    else:
        for x in range(len(alike)):
            alike[x] += there[x]


@jit
def _count(alike: Any, share: Any, total: Any) -> None:
    for x in range(len(total)):
        total[x] += np.int16(alike[x]) * share


@jit
def _mark(there: Any, bit: Any, near: Any) -> None:
    for x in range(len(near)):
        near[x] |= (np.uint8(0) - there[x]) & bit  # all bits of what is set, without a shift of 64


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
