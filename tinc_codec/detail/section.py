"""The section of coefficients: its parameters, then the code of each piece (FORMAT-draft.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES, WEIGHTS
from tinc_codec.detail.defaults import DEFAULT_WEIGHTS
from tinc_codec.detail.plan import AXES, Group, Plan, Shape
from tinc_codec.detail.scale import LARGEST_MEAN, Scale, mean_of
from tinc_codec.detail.tables import ClassTable, class_tables
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream.entropy import Decoder, Encoder, best_table
from tinc_codec.stream.fields import FieldReader, FieldWriter

MOST_DEPTH = 24
MOST_BANDS = 2**14
MOST_PIECES = 2**24
LARGEST_SHIFT = 24
LARGEST_SUM = 4096
"""Of the weights of a pass, so that expected magnitudes stay below 2^31."""


@dataclass(frozen=True, eq=False)
class Parameters:
    """All that is common to the pieces of a chunk.

    Parameters
    ----------
    plan
        Bands and tiles.
    scale
        Coefficients from numbers, samples from integers.
    means
        One byte for each band, see `scale.mean_of`; 0: all its numbers are 0.
    shifts
        How many low bits of each band's numbers are stored as they are.
    weights
        Of the expected magnitude in each pass, in units of 1 / `UNIT`, shape ``(8, WEIGHTS)``.
    deltas
        Differences of the tables' logits to the defaults, shape ``(3, CLASSES)``.
    """

    plan: Plan
    scale: Scale
    means: NDArray[np.uint8]
    shifts: NDArray[np.uint8]
    weights: NDArray[np.int64]
    deltas: NDArray[np.int32]

    @lazy
    def tables(self) -> tuple[ClassTable, ...]:
        """Tables of the classes."""
        return class_tables(self.deltas)

    @lazy
    def mean_values(self) -> NDArray[np.int64]:
        """What the bytes of the means stand for."""
        return np.array([mean_of(int(byte)) for byte in self.means], np.int64)


def four(shape: tuple[int, ...]) -> Shape:
    """A shape with leading axes of length 1."""
    return (1,) * (AXES - len(shape)) + shape  # type: ignore[return-value]


def pack(parameters: Parameters, codes: list[bytes]) -> bytes:
    """Write the section."""
    out, plan = FieldWriter(), parameters.plan
    out.number("B", len(plan.groups))
    for group in plan.groups:
        out.number("B", sum(1 << axis for axis in group.axes))
        out.number("B", group.depth)
    out.number("B", plan.tile.bit_length() - 1)
    parameters.scale.pack(out)
    shifted = int(np.flatnonzero(parameters.shifts)[-1]) + 1 if parameters.shifts.any() else 0
    out.count(shifted)
    out.raw(parameters.shifts[:shifted].tobytes())
    encoder = Encoder()
    values: list[NDArray[Any]] = [
        np.diff(parameters.means.astype(np.int32), prepend=0).astype(np.int32),
        (parameters.weights - DEFAULT_WEIGHTS).astype(np.int32).ravel(),
        parameters.deltas.astype(np.int32).ravel(),
    ]
    for part in values:
        largest = int(np.abs(part).max(initial=0))
        table = best_table(part, largest) if largest else 0
        out.number("B", largest)
        out.number("B", table)
        encoder.laplace(part, table, largest)
    code = encoder.bytes().rstrip(b"\0")
    code += bytes(-len(code) % 4)
    out.count(len(code) // 4)
    out.raw(code)
    for piece in codes:
        out.count(len(piece))
    for piece in codes:
        out.raw(piece)
    return out.bytes()


def unpack(section: FieldReader, shape: tuple[int, ...]) -> tuple[Parameters, list[bytes]]:
    """Read the section of a chunk of `shape`, of 1 to 4 axes."""
    plan = _unpack_plan(section, four(shape))
    scale = Scale.unpack(section)
    bands = len(plan.bands)
    shifts = np.zeros(bands, np.uint8)
    shifted = section.count(bands)
    shifts[:shifted] = np.frombuffer(section.raw(shifted), np.uint8)
    if shifts.max(initial=0) > LARGEST_SHIFT:
        section.fail(f"{shifts.max()} low bits of a number")
    sizes = [bands, 8 * WEIGHTS, 3 * CLASSES]
    tables = [(section.byte(), section.byte()) for _ in sizes]
    decoder = Decoder(section.raw(4 * section.count(section.remaining // 4)))
    means, weights, deltas = (
        decoder.laplace(size, table, largest).astype(np.int64)
        for size, (largest, table) in zip(sizes, tables, strict=True)
    )
    means = np.cumsum(means)
    weights = DEFAULT_WEIGHTS + weights.reshape(8, WEIGHTS)
    if means.min(initial=0) < 0 or means.max(initial=0) > LARGEST_MEAN:
        section.fail("a band's mean out of range")
    if weights.min() < 0 or weights.sum(1).max() > LARGEST_SUM:
        section.fail("weights out of range")
    lengths = [section.count(section.remaining) for _ in range(piece_count(plan))]
    codes = [section.raw(length) for length in lengths]
    section.end()
    deltas = deltas.reshape(3, CLASSES)
    return Parameters(plan, scale, means.astype(np.uint8), shifts, weights, deltas.astype(np.int32)), codes


def _unpack_plan(section: FieldReader, shape: Shape) -> Plan:
    groups = []
    for _ in range(min(section.byte(), AXES + 1)):
        mask, depth = section.byte(), section.byte()
        groups.append(Group(tuple(axis for axis in range(8) if mask >> axis & 1), depth))
    if sorted(axis for group in groups for axis in group.axes) != list(range(AXES)):
        section.fail(f"groups of axes {[group.axes for group in groups]}")
    if max(group.depth for group in groups) > MOST_DEPTH:
        section.fail("an axis is split too often")
    if math.prod(group.depth * 2 ** len(group.axes) + 1 for group in groups) > MOST_BANDS:
        section.fail("too many bands")
    tile = section.byte()
    if not 2 <= tile <= 30:
        section.fail(f"tiles of 2^{tile}")
    plan = Plan(shape, tuple(groups), 1 << tile)
    if sum(math.prod(rung.tiles) for rung in plan.rungs) > MOST_PIECES:
        section.fail("too many tiles")
    return plan


def piece_count(plan: Plan) -> int:
    """Pieces of a chunk: one of the coarse rungs, and one for each tile of the others."""
    return 1 + sum(math.prod(rung.tiles) for rung in plan.rungs[plan.coarse :])
