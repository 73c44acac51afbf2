"""The section of coefficients: its parameters, then the code of each piece (FORMAT.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.bits import Writer
from tinc_codec.detail.contexts import CLASSES, WEIGHTS
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.plan import AXES, Group, Plan, Rung, Shape, shared
from tinc_codec.detail.scale import LARGEST_MEAN, Scale, mean_of
from tinc_codec.detail.tables import ClassTables, class_tables
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream.entropy import Decoder, Encoder, best_table
from tinc_codec.stream.fields import FieldReader, FieldWriter

MOST_BANDS = 2**14
MOST_PIECES = 2**24
LARGEST_SHIFT = 24
LARGEST_LENGTH = 30
"""Bits of the length of a piece."""

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
    def tables(self) -> ClassTables:
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
        out.number("B", sum(1 << axis for axis in group.axes) << 4 | group.depth)
    out.number("B", plan.tile.bit_length() - 1)
    parameters.scale.pack(out)
    preset = int(np.argmin(np.abs(PRESETS - parameters.weights).sum((1, 2))))
    out.number("B", preset)
    lengths = np.array([len(code) for code in codes], np.int64)
    classes = np.array([len(code).bit_length() for code in codes], np.int64)
    arrays = (
        _differences(parameters.means.astype(np.int64)),
        _differences(parameters.shifts.astype(np.int64)),
        parameters.weights - PRESETS[preset],
        parameters.deltas,
        _differences(classes),
    )
    encoder = Encoder()
    for array in arrays:
        _pack_array(array.astype(np.int32).ravel(), encoder, out)
    code = encoder.bytes().rstrip(b"\0")
    code += bytes(-len(code) % 4)
    out.count(len(code) // 4)
    out.raw(code)
    out.raw(_low_bits(lengths, classes))
    for piece in codes:
        out.raw(piece)
    return out.bytes()


def _differences(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.diff(values, prepend=0), np.int64)


def _pack_array(values: NDArray[np.int32], encoder: Encoder, out: FieldWriter) -> None:
    largest = int(np.abs(values).max(initial=0))
    out.number("B", largest)
    if largest:
        table = best_table(values, largest)
        out.number("B", table)
        encoder.laplace(values, table, largest)


def _low_bits(lengths: NDArray[np.int64], classes: NDArray[np.int64]) -> bytes:
    """What is below the leading bits of lengths, in whole bytes."""
    bits = Writer()
    for length, size in zip(lengths.tolist(), classes.tolist(), strict=True):
        if size > 1:
            bits.put(np.array([length & ((1 << (size - 1)) - 1)]), size - 1)
    return bits.bytes().ljust(-(-int(np.maximum(classes - 1, 0).sum()) // 8), b"\0")


def unpack(section: FieldReader, shape: tuple[int, ...]) -> tuple[Parameters, list[bytes]]:
    """Read the section of a chunk of `shape`, of 1 to 4 axes."""
    plan = _unpack_plan(section, four(shape))
    scale, preset = Scale.unpack(section), section.byte()
    if preset >= len(PRESETS):
        section.fail(f"weights of preset {preset}")
    bands, pieces = len(plan.bands), piece_count(plan)
    sizes = [bands, bands, 8 * WEIGHTS, 3 * CLASSES, pieces]
    tables = [(largest, section.byte() if largest else 0) for largest in (section.byte() for _ in sizes)]
    decoder = Decoder(section.raw(4 * section.count(section.remaining // 4)))
    means, shifts, weights, deltas, classes = (
        decoder.laplace(size, table, largest).astype(np.int64)
        for size, (largest, table) in zip(sizes, tables, strict=True)
    )
    decoder.end()
    means = _within(section, np.cumsum(means), LARGEST_MEAN, "a band's mean")
    shifts = _within(section, np.cumsum(shifts), LARGEST_SHIFT, "low bits")
    weights = PRESETS[preset] + weights.reshape(8, WEIGHTS)
    if weights.min() < 0 or weights.sum(1).max() > LARGEST_SUM:
        section.fail("weights out of range")
    codes = [section.raw(length) for length in _unpack_lengths(section, np.cumsum(classes))]
    section.end()
    narrow = means.astype(np.uint8), shifts.astype(np.uint8)
    return Parameters(plan, scale, *narrow, weights, deltas.reshape(3, CLASSES).astype(np.int32)), codes


def _within(section: FieldReader, values: NDArray[np.int64], most: int, what: str) -> NDArray[np.int64]:
    if values.min(initial=0) < 0 or values.max(initial=0) > most:
        section.fail(f"{what} out of range")
    return values


def _unpack_lengths(section: FieldReader, classes: NDArray[np.int64]) -> list[int]:
    classes = _within(section, classes, LARGEST_LENGTH, "a piece's length")
    bits = int.from_bytes(section.raw(-(-int(np.maximum(classes - 1, 0).sum()) // 8)), "little")
    lengths, at = [], 0
    for size in classes.tolist():
        least, below = 1 << size >> 1, max(0, size - 1)
        lengths.append(least + (bits >> at & least - 1 if below else 0))
        at += below
    return lengths


def _unpack_plan(section: FieldReader, shape: Shape) -> Plan:
    groups = []
    for _ in range(min(section.byte(), AXES + 1)):
        byte = section.byte()
        groups.append(Group(tuple(axis for axis in range(AXES) if byte >> 4 >> axis & 1), byte & 15))
    axes = sorted(axis for group in groups for axis in group.axes)
    if axes != list(range(AXES)) or not all(group.axes for group in groups):
        section.fail(f"groups of axes {[group.axes for group in groups]}")
    if math.prod(group.depth * 2 ** len(group.axes) + 1 for group in groups) > MOST_BANDS:
        section.fail("too many bands")
    tile = section.byte()
    if not 2 <= tile <= 30:
        section.fail(f"tiles of 2^{tile}")
    plan = shared(Plan(shape, tuple(groups), 1 << tile))
    if sum(math.prod(rung.tiles) for rung in plan.rungs) > MOST_PIECES:
        section.fail("too many tiles")
    if passes(plan) > most_passes(shape):
        section.fail(f"{passes(plan)} passes, where at most {most_passes(shape)} make sense")
    return plan


@lru_cache(maxsize=256)
def passes(plan: Plan) -> int:
    """Passes over all tiles: each has work of its own, however few its coefficients are."""
    each = 1 << sum(n > 1 for n in plan.shape[1:])
    return each * sum(math.prod(rung.tiles[1:]) * len(rung.bands) * _runs(plan, rung) for rung in plan.rungs)


def _runs(plan: Plan, rung: Rung) -> int:
    """Runs of frames that are coded together, of all tiles along axis 0."""
    together, before = plan.frames(rung), rung.tiles[0] - 1
    last = rung.lows[0] - before * plan.tile
    return before * -(-plan.tile // together) + -(-last // together)


def most_passes(shape: Shape) -> int:
    """The most of them that a chunk gives reason for (FORMAT.md, "Limits")."""
    return math.prod(shape) // 32 + 2**11


def piece_count(plan: Plan) -> int:
    """Pieces of a chunk: one of the coarse rungs, and one for each tile of the others."""
    return 1 + sum(math.prod(rung.tiles) for rung in plan.rungs[plan.coarse :])
