"""A mask of voxels, on interlaced lattices: each voxel costs what its known neighbours leave open.

For holes of one value, and for the places of exact values. FORMAT-draft.md, "Masks".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.coding import Symbols, read_tokens, write_tokens
from tinc_codec.detail.tables import LARGEST_LOGIT, ClassTable, logistic
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream import lossless
from tinc_codec.stream.ans import PieceDecoder
from tinc_codec.stream.fields import FieldReader, FieldWriter

_REACH = 2
_RINGS = (6, 8, 12)
"""Known neighbours are counted in three rings, of at most so many each, nearest first."""

_KINDS = 5
"""The farther two rings count as none, less than half, half, more, or all."""

_CONTEXTS = (_RINGS[0] + 1) * _KINDS**2
_LOGITS = np.arange(0, LARGEST_LOGIT + 1, 2)
"""How likely the likelier value is, in eighths of a logit."""

_COARSEST = 4


@dataclass(frozen=True, eq=False)
class Ring:
    """Neighbours in a ring, as shifts of the parity's coordinates."""

    offsets: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Pass:
    """Voxels that are coded at once: on the lattice of stride ``2 ** level``, those of a parity; () at the coarsest."""

    level: int
    parity: tuple[int, ...]
    rings: tuple[Ring, ...]

    @lazy
    def kind(self) -> int:
        """Passes of a kind share their contexts: those of the same parity."""
        return sum(odd << axis for axis, odd in enumerate(self.parity))


@lru_cache(maxsize=16)
def passes(axes: int, levels: int) -> tuple[Pass, ...]:
    """The coarsest lattice, then each halving of the stride, parity by parity."""
    every = sorted(itertools.product((0, 1), repeat=axes), key=lambda parity: (sum(parity), [-odd for odd in parity]))
    found = [Pass(levels, (0,) * axes, ())]
    for level in reversed(range(levels)):
        for number, parity in enumerate(every[1:], start=1):
            found.append(Pass(level, parity, _rings(parity, set(every[:number]))))
    return tuple(found)


def _rings(parity: tuple[int, ...], known: set[tuple[int, ...]]) -> tuple[Ring, ...]:
    offsets = [
        offset
        for offset in itertools.product(range(-_REACH, _REACH + 1), repeat=len(parity))
        if any(offset) and tuple((p + o) % 2 for p, o in zip(parity, offset, strict=True)) in known
    ]
    offsets.sort(key=lambda offset: (sum(o * o for o in offset), offset))
    ends = list(itertools.accumulate(_RINGS, initial=0))
    return tuple(Ring(tuple(offsets[begin:end])) for begin, end in itertools.pairwise(ends))


def _levels(shape: tuple[int, ...]) -> int:
    return max(0, (max(shape, default=1) - 1).bit_length() - _COARSEST.bit_length() + 1)


class _Grid:
    """A mask while it is coded; axes of length 1 are left out."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.shape = tuple(n for n in mask.shape if n > 1) or (1,)
        self.mask = mask.reshape(self.shape)

    def steps(self) -> Iterator[tuple[Pass, NDArray[np.bool_]]]:
        """Passes and their voxels, a view."""
        for step in passes(len(self.shape), _levels(self.shape)):
            lattice = self.mask[(slice(None, None, 2**step.level),) * len(self.shape)]
            members = lattice[tuple(slice(odd, None, 2) for odd in step.parity)] if step.rings else lattice
            if members.size:
                yield step, members

    def contexts(self, step: Pass, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Contexts of the voxels of a pass."""
        if not step.rings:
            return np.zeros(shape, np.int64)
        lattice = self.mask[(slice(None, None, 2**step.level),) * len(self.shape)]
        counts = [self._count(lattice, step, ring, shape) for ring in step.rings]
        context = counts[0].astype(np.int64)
        for count, ring in zip(counts[1:], step.rings[1:], strict=True):
            whole = max(1, len(ring.offsets))
            kind = np.where(count == 0, 0, np.where(count == whole, 4, 2 + np.sign(2 * count - whole)))
            context = context * _KINDS + kind
        return context + _CONTEXTS * step.kind

    def _count(self, lattice: NDArray[np.bool_], step: Pass, ring: Ring, shape: tuple[int, ...]) -> NDArray[np.int8]:
        total = np.zeros(shape, np.int8)
        for offset in ring.offsets:
            where = []
            for odd, o, count, n in zip(step.parity, offset, shape, lattice.shape, strict=True):
                parity = (odd + o) % 2
                cells = np.clip(np.arange(count) + (odd + o) // 2, 0, (n + 1 - parity) // 2 - 1)
                where.append(2 * cells + parity)
            total += lattice[np.ix_(*where)]
        return total


@lru_cache(maxsize=1)
def _tables() -> tuple[ClassTable, ...]:
    return tuple(ClassTable(np.array([logit, -LARGEST_LOGIT, -LARGEST_LOGIT])) for logit in _LOGITS)


def pack(mask: NDArray[np.bool_]) -> bytes:
    """Code of a mask of 1 to 4 axes."""
    grid = _Grid(mask)
    steps = [(members, grid.contexts(step, members.shape)) for step, members in grid.steps()]
    count = _CONTEXTS << len(grid.shape)
    likely, every = np.zeros(count), np.zeros(count)
    for members, context in steps:
        likely += np.bincount(context[members], minlength=count)
        every += np.bincount(context.ravel(), minlength=count)
    rule = _rule(likely, every)
    symbols = Symbols()
    for members, context in steps:
        rules = rule[context.ravel()]
        tokens = (members.ravel() ^ (rules & 1).astype(bool)).astype(np.int64)
        write_tokens(symbols, _tables(), (rules >> 1).astype(np.uint8), tokens)
    out, packed = FieldWriter(), lossless.pack(rule)
    out.count(len(packed))
    out.raw(packed + symbols.code())
    return out.bytes()


def _rule(set_: NDArray[np.float64], all_: NDArray[np.float64]) -> NDArray[np.uint8]:
    """For each context the likelier value, in bit 0, and how likely it is."""
    likely = set_ * 2 > all_
    hits = np.where(likely, set_, all_ - set_)
    share = logistic()[_LOGITS + LARGEST_LOGIT] / 2.0**24
    bits = -(hits[:, None] * np.log2(share) + (all_ - hits)[:, None] * np.log2(1 - share))
    return np.where(all_ > 0, 2 * np.argmin(bits, axis=1) + likely, 0).astype(np.uint8)


def unpack(section: bytes, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask of a chunk of `shape`, 1 to 4 axes.

    Raises
    ------
    CorruptStreamError
        No encoder wrote it.
    """
    return _unpack(FieldReader(section, "a mask"), shape)


def _unpack(section: FieldReader, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    grid = _Grid(mask)
    count = _CONTEXTS << len(grid.shape)
    rule = lossless.unpack(section.raw(section.count(section.remaining)), count, np.dtype(np.uint8))
    if rule.max(initial=0) >= 2 * len(_LOGITS):
        section.fail(f"a rule of {rule.max()} in a mask")
    decoder = PieceDecoder(section.raw(section.remaining))
    for step, members in grid.steps():
        rules = rule[grid.contexts(step, members.shape).ravel()]
        tokens = read_tokens(decoder, _tables(), (rules >> 1).astype(np.uint8))
        if tokens.max(initial=0) > 1:
            section.fail("a mask of more than two values")
        members[...] = (tokens.astype(np.uint8) ^ (rules & 1)).astype(bool).reshape(members.shape)
    decoder.end()
    return mask
