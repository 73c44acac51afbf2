"""Masks, compiled: the bytes and voxels of `tinc_codec.detail.mask`."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.coding import Lookups, begin, encoded, lookups, put_tokens, sort, take_tokens
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
    """Arrays to work in, for one pass: see `tinc_codec.backends.numba.detail.space.Space`."""

    contexts: Any
    values: Any
    classes: Any
    tokens: Any
    order: Any


def _counts(axes: int) -> _Counts:
    many = 1 << axes
    shapes = ((2, KINDS), (2, many, KINDS), (2, many, KINDS << NEAREST))
    return _Counts(*(np.zeros(shape, np.int64) for shape in shapes))


def _space(size: int) -> _Space:
    kinds = (np.int16, np.bool_, np.uint8, np.uint8, np.int32)
    return _Space(*(np.empty(size, kind) for kind in kinds))


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
        starts, shares = known.around(step)
        kinds = reference.kinds(step).astype(np.int16)
        w, parts = _space(members.size), PARTS if members.size > UNDIVIDED else 1
        _contexts(known.flat, starts, known.strides, shares, kinds, members.shape, w.contexts)
        w.values[:] = members.ravel()
        if not _code(step.number, parts, coder, counts, tables, ends, w, np.zeros((2, CLASSES), np.int64)):
            raise CorruptStreamError("a mask of more than two values")
        members[...] = w.values.reshape(members.shape)
        known.enter(step)


class _Known:
    """The voxels of a lattice that are known, those of each parity with a border, one after the other in `flat`.

    Everything has four axes; the first ones, of length 1, have no border and one parity.
    """

    def __init__(self, volume: NDArray[np.uint8], axes: int) -> None:
        self._volume, self._missing, self._level = volume, _AXES - axes, -1
        self.flat, self.strides = np.zeros(0, np.uint8), np.zeros((0, _AXES), np.int64)
        self._offsets: list[int] = []
        self._shapes: list[tuple[int, ...]] = []

    def members(self, step: Pass) -> NDArray[np.uint8]:
        """The voxels of a pass, a view."""
        lattice = self._lattice(step.level)
        if not step.neighbours:
            return lattice
        if step.level != self._level:
            self._begin(step.level)
        return lattice[tuple(slice(odd, None, 2) for odd in self._wide(step.parity))]

    def around(self, step: Pass) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of each neighbour: its parity and where that of the first voxel lies in `flat`; and what it counts."""
        starts = np.zeros((len(step.neighbours), 2), np.int64)
        for place, offset in enumerate(step.neighbours):
            sums = [odd + o for odd, o in zip(step.parity, offset, strict=True)]
            parity = self._there(tuple(total % 2 for total in sums))
            begins = np.array([0] * self._missing + [BORDER + total // 2 for total in sums])
            starts[place] = parity, self._offsets[parity] + begins @ self.strides[parity]
        return starts, np.array(step.shares, np.int64)

    def enter(self, step: Pass) -> None:
        """Make the voxels of a pass known."""
        if step.neighbours:
            self._enter(step.parity)

    def _begin(self, level: int) -> None:
        """Turn to a finer lattice, whose even voxels are known."""
        self._level, lattice = level, self._lattice(level)
        parities = list(np.ndindex(*(2,) * (_AXES - self._missing)))
        border = [0] * self._missing + [2 * BORDER] * (_AXES - self._missing)
        halves = [
            [max(1, (n + 1 - odd) // 2) for n, odd in zip(lattice.shape, self._wide(p), strict=True)] for p in parities
        ]
        self._shapes = [tuple(n + more for n, more in zip(half, border, strict=True)) for half in halves]
        self._offsets = [0, *np.cumsum([math.prod(shape) for shape in self._shapes]).tolist()]
        self.flat = np.empty(self._offsets[-1], np.uint8)
        self.strides = np.array([[math.prod(shape[axis + 1 :]) for axis in range(_AXES)] for shape in self._shapes])
        self._enter(parities[0])

    def _enter(self, parity: tuple[int, ...]) -> None:
        number = self._there(parity)
        bordered = self.flat[self._offsets[number] : self._offsets[number + 1]].reshape(self._shapes[number])
        borders = [0] * self._missing + [BORDER] * (_AXES - self._missing)
        _fill(
            self._lattice(self._level)[tuple(slice(odd, None, 2) for odd in self._wide(parity))],
            np.array(borders),
            bordered,
        )

    def _there(self, parity: tuple[int, ...]) -> int:
        """The number of a parity; along an axis of one voxel that has no odd one, it is that voxel."""
        lengths = self._lattice(self._level).shape[self._missing :]
        return sum(
            (odd if n > 1 else 0) << axis
            for axis, (odd, n) in enumerate(zip(reversed(parity), reversed(lengths), strict=True))
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
                for x in range(first):
                    target[x], target[first + n3 + x] = source[0], source[n3 - 1]


@jit
def _contexts(flat: Any, starts: Any, strides: Any, shares: Any, kinds: Any, shape: Any, out: Any) -> None:
    """Of the voxels of a pass: how much around them is set, and below that which of the nearest are."""
    n = shape[3]
    total, near, at = np.empty(n, np.int16), np.empty(n, np.uint8), 0
    for t in range(shape[0]):
        for z in range(shape[1]):
            for y in range(shape[2]):
                total[:] = 0
                near[:] = 0
                for k in range(len(starts)):
                    parity = starts[k, 0]
                    base = starts[k, 1] + t * strides[parity, 0] + z * strides[parity, 1] + y * strides[parity, 2]
                    _count(flat[base : base + n], np.int16(shares[k]), total)
                    if k < NEAREST:
                        _mark(flat[base : base + n], np.uint8(k), near)
                for x in range(n):
                    out[at + x] = kinds[total[x]] << NEAREST | near[x]
                at += n


@jit
def _count(there: Any, share: Any, total: Any) -> None:
    for x in range(len(total)):
        total[x] += np.int16(there[x]) * share


@jit
def _mark(there: Any, place: Any, near: Any) -> None:
    for x in range(len(near)):
        near[x] |= there[x] << place


@jit
def _likely(number: int, counts: _Counts, out: Any) -> None:
    """Likelihood of being set, in 2^-24, in each context of a pass."""
    for kind in range(KINDS):
        wide = min(max(kind * ONE // (KINDS - 1), ONE // 64), ONE - ONE // 64)
        unset, those = counts.kinds[0, kind], counts.kinds[1, kind]
        wide = (those * ONE + 2 * wide) // (unset + those + 2)
        unset, those = counts.passes[0, number, kind], counts.passes[1, number, kind]
        wide = (those * ONE + 4 * wide) // (unset + those + 4)
        for k in range(kind << NEAREST, (kind + 1) << NEAREST):
            unset, those = counts.near[0, number, k], counts.near[1, number, k]
            out[k] = (those * ONE + 4 * wide) // (unset + those + 4)


@jit
def _learn(number: int, counts: _Counts, contexts: Any, values: Any) -> None:
    for k in range(len(values)):
        value, context = np.int64(values[k]), np.int64(contexts[k])
        counts.near[value, number, context] += 1
        counts.passes[value, number, context >> NEAREST] += 1
        counts.kinds[value, context >> NEAREST] += 1


@jit
def _classes(likely: Any, ends: Any, likelier: Any, classes: Any) -> None:
    """The likelier value in each context, and the class of how likely it is."""
    for k in range(len(likely)):
        likelier[k] = 2 * likely[k] > ONE
        share = likely[k] if likelier[k] else ONE - likely[k]
        classes[k] = np.searchsorted(ends, share, side="right")


@jit
def _code(
    number: int, parts: int, coder: _Coder, counts: _Counts, tables: Lookups, ends: Any, w: _Space, places: Any
) -> bool:
    """Code the voxels of a pass part by part; whether each is one of two values."""
    likely, likelier = np.empty(KINDS << NEAREST, np.int64), np.empty(KINDS << NEAREST, np.bool_)
    kinds, begins, count = np.empty(KINDS << NEAREST, np.uint8), np.zeros(CLASSES + 1, np.int64), len(w.values)
    for part in range(parts):
        first, last = count * part // parts, count * (part + 1) // parts
        contexts, values = w.contexts[first:last], w.values[first:last]
        classes, tokens = w.classes[first:last], w.tokens[first:last]
        _likely(number, counts, likely)
        _classes(likely, ends, likelier, kinds)
        for k in range(last - first):
            classes[k] = kinds[contexts[k]]
            tokens[k] = 0 if coder.reads else values[k] ^ likelier[contexts[k]]
        sort(classes, last - first, w.order, begins, places)
        if coder.reads:
            take_tokens(coder.words, coder.state, tables, begins, w.order, tokens)
        else:
            coder.progress[0] = put_tokens(coder.symbols, coder.progress[0], tables, begins, w.order, tokens)
        for k in range(last - first):
            if tokens[k] > 1:
                return False
            values[k] = (tokens[k] != 0) ^ likelier[contexts[k]]
        _learn(number, counts, contexts, values)
    return True
