"""A mask of voxels, on interlaced lattices: each voxel costs what its known neighbours leave open.

For holes of one value, and for the places of exact values. FORMAT.md, "Masks".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.coding import Symbols, read_tokens, write_tokens
from tinc_codec.detail.tables import LARGEST_LOGIT, ClassTables, logistic
from tinc_codec.errors import CorruptStreamError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream.ans import PieceDecoder
from tinc_codec.stream.entropy import PRECISION

_REACH, _MOST, NEAREST = 2, 26, 6
"""Known neighbours of a voxel: how far away along an axis, how many, and of how many it matters which are set."""

BORDER = 2
"""Voxels of a parity that its neighbours, in shifts of theirs, may lie beyond the last one."""

_SHARES = {1: 256, 2: 91, 3: 49, 4: 32, 5: 23, 6: 17, 8: 11, 9: 9, 12: 6, 13: 5, 16: 4}
"""What a neighbour counts, by its squared distance: 256 over its third power."""

KINDS = 24
"""Of how much of the neighbours' shares are set: none, all, and steps between."""

PARTS, UNDIVIDED = 16, 4096
"""Large passes are coded in parts, each with what the ones before have taught."""

_LOGITS = np.arange(0, LARGEST_LOGIT + 1, 2)
"""How likely the likelier value is, in eighths of a logit."""

ONE = 1 << PRECISION
_COARSEST = 4


@dataclass(frozen=True, eq=False)
class Pass:
    """Voxels that are coded at once: on the lattice of stride ``2 ** level``, those of a parity.

    Parameters
    ----------
    neighbours
        Known ones as shifts of the parity's coordinates, nearest first; none at the coarsest level.
    """

    level: int
    parity: tuple[int, ...]
    neighbours: tuple[tuple[int, ...], ...]

    @lazy
    def number(self) -> int:
        """Passes of the same parity share their contexts."""
        return sum(odd << axis for axis, odd in enumerate(self.parity))

    @lazy
    def shares(self) -> list[int]:
        """What each neighbour counts."""
        return [_SHARES[sum(o * o for o in offset)] for offset in self.neighbours]


@lru_cache(maxsize=16)
def passes(axes: int, levels: int) -> tuple[Pass, ...]:
    """The coarsest lattice, then each halving of the stride, parity by parity."""
    every = sorted(itertools.product((0, 1), repeat=axes), key=lambda parity: (sum(parity), [-odd for odd in parity]))
    plan = [Pass(levels, (0,) * axes, ())]
    for level in reversed(range(levels)):
        for number, parity in enumerate(every[1:], start=1):
            plan.append(Pass(level, parity, _neighbours(parity, set(every[:number]))))
    return tuple(plan)


def _neighbours(parity: tuple[int, ...], known: set[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    offsets = [
        offset
        for offset in itertools.product(range(-_REACH, _REACH + 1), repeat=len(parity))
        if any(offset) and tuple((p + o) % 2 for p, o in zip(parity, offset, strict=True)) in known
    ]
    return tuple(sorted(offsets, key=lambda offset: (sum(o * o for o in offset), offset))[:_MOST])


def levels(shape: tuple[int, ...]) -> int:
    """How often the stride of the coarsest lattice is halved."""
    return max(0, (max(shape, default=1) - 1).bit_length() - _COARSEST.bit_length() + 1)


class _Grid:
    """A mask while it is coded; axes of length 1 are left out."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.shape = tuple(n for n in mask.shape if n != 1) or (1,)
        self.mask = mask.reshape(self.shape)

    def steps(self) -> Iterator[tuple[Pass, NDArray[np.bool_]]]:
        """Passes and their voxels, a view."""
        for step in passes(len(self.shape), levels(self.shape)):
            lattice = self.mask[(slice(None, None, 2**step.level),) * len(self.shape)]
            members = lattice[tuple(slice(odd, None, 2) for odd in step.parity)] if step.neighbours else lattice
            if members.size:
                yield step, members

    def contexts(self, step: Pass, shape: tuple[int, ...]) -> NDArray[np.int16]:
        """Of the voxels of a pass, in order: how much around them is set, and below that which of the nearest are."""
        lattice = self.mask[(slice(None, None, 2**step.level),) * len(self.shape)]
        total, nearest = np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
        bordered: dict[tuple[int, ...], NDArray[np.uint8]] = {}
        alike: dict[int, NDArray[np.uint8]] = {}  # how many are set of those that count the same
        for place, (offset, share) in enumerate(zip(step.neighbours, step.shares, strict=True)):
            other = tuple((odd + o) % 2 for odd, o in zip(step.parity, offset, strict=True))
            if other not in bordered:
                bordered[other] = _bordered(lattice, other)
            begins = [BORDER + (odd + o) // 2 for odd, o in zip(step.parity, offset, strict=True)]
            there = bordered[other][tuple(slice(at, at + n) for at, n in zip(begins, shape, strict=True))]
            if share in alike:
                alike[share] += there
            else:
                alike[share] = there.copy()
            if place < NEAREST:
                nearest |= there << np.uint8(place)
        for share, count in alike.items():
            total += count * np.int16(share)
        return (kinds(step) << NEAREST).astype(np.int16)[total.ravel()] | nearest.ravel()


def kinds(step: Pass) -> NDArray[np.int64]:
    """The kind of each sum of what set neighbours count."""
    every = max(1, sum(step.shares))
    sums = np.arange(every + 1)
    return np.where(sums == every, KINDS - 1, (sums * (KINDS - 2) + every - 1) // every)


def _bordered(lattice: NDArray[np.bool_], parity: tuple[int, ...]) -> NDArray[np.uint8]:
    """The voxels of a parity, the outermost ones repeated outwards.

    Along an axis of one voxel that has none of that parity, it is that voxel.
    """
    members = tuple(slice(odd if n > odd else 0, None, 2) for odd, n in zip(parity, lattice.shape, strict=True))
    return np.pad(lattice[members].view(np.uint8), BORDER, mode="edge")


class _Counts:
    """How often voxels were set so far, in contexts that get narrower."""

    def __init__(self, axes: int) -> None:
        self._counts = np.zeros((2, 1 << axes, KINDS, 1 << NEAREST), np.int64)

    def likely(self, number: int) -> NDArray[np.int64]:
        """Likelihood of being set, in 2^-24, in each context of a pass."""
        wide = np.clip(np.arange(KINDS) * ONE // (KINDS - 1), ONE // 64, ONE - ONE // 64)
        for counts, doubt in ((self._counts.sum((1, 3)), 2), (self._counts[:, number].sum(2), 4)):
            wide = (counts[1] * ONE + doubt * wide) // (counts.sum(0) + doubt)
        unset, set_ = self._counts[:, number]
        return np.asarray((set_ * ONE + 4 * wide[:, None]) // (unset + set_ + 4)).ravel()

    def learn(self, number: int, contexts: NDArray[np.int16], values: NDArray[np.bool_]) -> None:
        """Count values."""
        shape = self._counts.shape[2:]
        every, set_ = (np.bincount(some, minlength=math.prod(shape)) for some in (contexts, contexts[values]))
        self._counts[:, number] += np.stack([every - set_, set_]).reshape(2, *shape)


@lru_cache(maxsize=1)
def tables() -> ClassTables:
    """Of the classes: how likely is it that the likelier value is there."""
    certain = np.full_like(_LOGITS, -LARGEST_LOGIT)
    return ClassTables(np.stack([_LOGITS, certain, certain]))


@lru_cache(maxsize=1)
def ends() -> NDArray[np.int64]:
    """The likelihoods, in 2^-24, from which on a class is the next one."""
    return logistic()[_LOGITS[1:] - 1 + LARGEST_LOGIT]


def _classes(likely: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """The likelier value, and the class of how likely it is."""
    value = 2 * likely > ONE
    return value, np.searchsorted(ends(), np.where(value, likely, ONE - likely), side="right").astype(np.uint8)


def _walk(mask: NDArray[np.bool_], code: Callable[[NDArray[np.uint8], NDArray[np.bool_]], NDArray[np.bool_]]) -> None:
    """Code a mask part by part: `code` is given classes, and whether values are the less likely ones; it says so."""
    grid = _Grid(mask)
    counts = _Counts(len(grid.shape))
    for step, members in grid.steps():
        contexts = grid.contexts(step, members.shape)
        values = members.ravel()  # a copy
        parts = PARTS if len(values) > UNDIVIDED else 1
        for part in range(parts):
            here = slice(len(values) * part // parts, len(values) * (part + 1) // parts)
            some = contexts[here]
            value, classes = _classes(counts.likely(step.number))
            likelier = value[some]
            values[here] = code(classes[some], values[here] ^ likelier) ^ likelier
            counts.learn(step.number, some, values[here])
        members[...] = values.reshape(members.shape)


def pack(mask: NDArray[np.bool_]) -> bytes:
    """Code of a mask of 1 to 4 axes."""
    symbols = Symbols()

    def write(classes: NDArray[np.uint8], unlikely: NDArray[np.bool_]) -> NDArray[np.bool_]:
        write_tokens(symbols, tables(), classes, unlikely.astype(np.int64))
        return unlikely

    _walk(mask.copy(), write)
    return symbols.code()


def unpack(section: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask of a chunk of `shape`, 1 to 4 axes.

    Raises
    ------
    CorruptStreamError
        No encoder wrote it.
    """
    mask, decoder = np.zeros(shape, bool), PieceDecoder(section)

    def read(classes: NDArray[np.uint8], unlikely: NDArray[np.bool_]) -> NDArray[np.bool_]:
        tokens = read_tokens(decoder, tables(), classes)
        if tokens.max(initial=0) > 1:
            raise CorruptStreamError("a mask of more than two values")
        return tokens.astype(bool)

    _walk(mask, read)
    decoder.end()
    return mask
