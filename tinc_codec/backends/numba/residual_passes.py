"""The encoder's passes over the tiles of a residual, compiled: what `tinc_codec.residual.lattices` does."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.interlace import AXES, reflected
from tinc_codec.residual.interlace import REACH, Offset
from tinc_codec.residual.lattice import Coded, PassCoding
from tinc_codec.residual.lattices import Lattices, Members
from tinc_codec.residual.prediction import FAR, MODERATE, NEAR, UNIT
from tinc_codec.runtime.threads import evenly

_WORTH = 2**13
"""Voxels that are worth a thread."""


def code_pass(coding: PassCoding, lattices: Lattices, members: Members) -> Coded:
    """See `tinc_codec.residual.lattices.code_pass`."""
    step, model, quantiser = coding.step, coding.model, coding.quantiser
    more, stride, size = AXES - len(step.parity), 2 if step.pairs else 1, len(members.target)
    counts = np.ones((len(members.counts), AXES), np.int64)
    counts[:, more:] = members.counts
    coded = Coded(np.empty(size), np.empty(size, np.int64))
    arrays = (
        lattices.values.ravel(),
        lattices.errors.ravel(),
        members.base,
        members.target,
        np.zeros(0, np.bool_) if members.inside is None else members.inside,
        counts,
        lattices.values[0].size,
        lattices.further(tuple(REACH + odd for odd in step.parity)),
        np.array([0] * more + [stride * s for s in lattices.strides], np.int64),
        np.array([lattices.further(pair) for pair in step.pairs[: model.pairs]], np.int64),
        np.array(model.weights, np.float64),
        np.array([model.bias, model.floor, *model.spread], np.float64),
        float(quantiser.width),
        quantiser.rounding,
        float(coding.top),
        *coded,
    )
    rows = int(counts[:, :-1].prod(1).sum())
    evenly(lambda begin, end: _pass(*arrays, begin, end), rows, size / max(rows, 1), _WORTH)
    _mirror(lattices, step.parity, stride)
    return coded


def take(lattices: Lattices, coarser: Lattices) -> None:
    """See `tinc_codec.residual.lattices.take`; borders of what is not known yet stay what they are."""
    axes = lattices.shapes.shape[1]
    fine, coarse = (
        [padded.reshape(len(padded), *(1,) * (AXES - axes), *padded.shape[1:]) for padded in (each.values, each.errors)]
        for each in (lattices, coarser)
    )
    reaches = np.array([0] * (AXES - axes) + [REACH] * axes, np.int64)
    shapes = np.ones((len(coarser.each), AXES), np.int64)
    shapes[:, AXES - axes :] = coarser.shapes
    evenly(
        lambda begin, end: _taken(*fine, *coarse, shapes, reaches, begin, end),
        len(shapes),
        coarser.values[0].size,
        _WORTH,
    )
    _mirror(lattices, (0,) * axes, 2)


@jit
def _taken(
    values: Any, errors: Any, coarse_values: Any, coarse_errors: Any, shapes: Any, reaches: Any, first: int, last: int
) -> None:
    """Enter the coarser lattices of some tiles."""
    for t in range(first, last):
        for a in range(shapes[t, 0]):
            for b in range(shapes[t, 1]):
                for c in range(shapes[t, 2]):
                    place = (reaches[0] + 2 * a, reaches[1] + 2 * b, reaches[2] + 2 * c)
                    other = (reaches[0] + a, reaches[1] + b, reaches[2] + c)
                    for fine, coarse in ((values, coarse_values), (errors, coarse_errors)):
                        row, source = fine[t][place], coarse[t][other]
                        for m in range(shapes[t, 3]):
                            row[reaches[3] + 2 * m] = source[reaches[3] + m]


def _mirror(lattices: Lattices, parity: Offset, stride: int) -> None:
    """Make the borders of all tiles what they mirror of the voxels of a parity."""
    more = AXES - lattices.shapes.shape[1]
    shapes = np.ones((len(lattices.each), AXES), np.int64)
    shapes[:, more:] = lattices.shapes
    most = np.ones(AXES, np.int64)
    most[more:] = lattices.values.shape[1:]
    reaches = np.array([0] * more + [REACH] * (AXES - more), np.int64)
    odd = np.array([0] * more + list(parity), np.int64)
    values, errors = (padded.reshape(len(shapes), *most) for padded in (lattices.values, lattices.errors))
    evenly(
        lambda begin, end: _mirrored(values, errors, shapes, reaches, odd, stride, begin, end),
        len(shapes),
        values[0].size,
        8 * _WORTH,
    )


@jit
def _mirrored(
    values: Any, errors: Any, shapes: Any, reaches: Any, odd: Any, stride: int, first: int, last: int
) -> None:
    """Fill the borders of some tiles, where voxels of a pass are mirrored: these have its parity, too."""
    for t in range(first, last):
        shape = shapes[t]
        steps = np.where(shape == 1, 1, stride)
        begins = np.where(steps == 1, 0, (reaches + odd) % 2)
        ends = shape + 2 * reaches
        for a in range(begins[0], ends[0], steps[0]):
            from_a = reaches[0] + reflected(a - reaches[0], shape[0])
            for b in range(begins[1], ends[1], steps[1]):
                from_b = reaches[1] + reflected(b - reaches[1], shape[1])
                for c in range(begins[2], ends[2], steps[2]):
                    from_c = reaches[2] + reflected(c - reaches[2], shape[2])
                    for lattice in (values[t], errors[t]):
                        row = lattice[a, b, c]
                        if from_a != a or from_b != b or from_c != c:
                            _copy(lattice[from_a, from_b, from_c], row, begins[3], ends[3], steps[3])
                        _mirror_row(row, shape[3])


@jit
def _copy(source: Any, target: Any, begin: int, end: int, step: int) -> None:
    for k in range(begin, end, step):
        target[k] = source[k]


@jit
def _mirror_row(row: Any, n: int) -> None:
    """Fill both ends of a row."""
    for k in range(REACH):
        row[k] = row[REACH + reflected(k - REACH, n)]
        row[REACH + n + k] = row[REACH + reflected(n + k, n)]


@jit
def _pass(
    values: Any, errors: Any, base: Any, target: Any, inside: Any, counts: Any, size: int, origin: int, strides: Any,
    offsets: Any, weights: Any, terms: Any, width: float, rounding: float, top: float, expected: Any, steps: Any,
    first: int, last: int,
) -> None:  # fmt: skip
    """Voxels of rows from `first` on, of all tiles; `terms` are the bias, the floor, and weights of the expected error.

    `size`: places of a tile; `origin`: of its first voxel among them.
    """
    longest = counts[:, 3].max()
    spare, row, at = np.empty((5, longest)), 0, 0
    for t in range(len(counts)):
        n1, n2, n = counts[t, 1], counts[t, 2], counts[t, 3]
        rows = counts[t, 0] * n1 * n2
        for r in range(max(first - row, 0), min(last - row, rows if n else 0)):
            a, b, c = r // (n1 * n2), r // n2 % n1, r % n2
            place, here = t * size + origin + a * strides[0] + b * strides[1] + c * strides[2], at + r * n
            own = base[here : here + n] if len(base) > 1 else base
            _row(
                values, errors, own, target[here : here + n], inside[here : here + n], place, offsets, weights, terms,
                width, rounding, top, strides[3], spare[:, :n], expected[here : here + n], steps[here : here + n],
            )  # fmt: skip
        row, at = row + rows, at + rows * n


@jit
def _row(
    values: Any, errors: Any, base: Any, target: Any, inside: Any, place: int, offsets: Any, weights: Any, terms: Any,
    width: float, rounding: float, top: float, stride: int, spare: Any, expected: Any, steps: Any,
) -> None:  # fmt: skip
    """A row of voxels from `place` on."""
    total, pair, own, apart = spare[0], spare[1], spare[2], spare[3:]
    for m in range(len(own)):
        own[m] = base[m] if len(base) > 1 else base[0]
    _mean(values, own, place, offsets, weights, pair, total)
    for m in range(len(total)):
        value = np.floor((total[m] + (terms[0] + UNIT // 2)) * (1 / UNIT))
        total[m] = min(max(value, 0.0), top)
        expected[m] = terms[1] + total[m] * (1 / MODERATE) * terms[6]
    _spread(values, errors, place, offsets, terms, total, apart, expected)
    _quantise(target, total, width, rounding, steps)
    for m in range(len(inside)):
        if not inside[m]:
            steps[m] = 0
    for m in range(len(total)):
        decoded = min(max(total[m] + steps[m] * width, 0.0), top)
        values[place + m * stride] = decoded
        errors[place + m * stride] = abs(decoded - total[m])


@jit
def _mean(values: Any, base: Any, place: int, offsets: Any, weights: Any, pair: Any, total: Any) -> None:
    """Weighted sums of pairs and of the model's prediction, of a row."""
    n = len(total)
    if len(offsets) == 0:
        for m in range(n):
            total[m] = base[m] * UNIT
    for j in range(len(offsets)):
        one, two, weight = values[place + offsets[j] :], values[place - offsets[j] :], weights[j]
        if j == 0:
            for m in range(n):
                pair[m] = one[2 * m] + two[2 * m]
                total[m] = pair[m] * (UNIT // 2) + (2 * base[m] - pair[m]) * weight
        else:
            for m in range(n):
                total[m] += (one[2 * m] + two[2 * m] - pair[m]) * weight


@jit
def _spread(
    values: Any, errors: Any, place: int, offsets: Any, terms: Any, mean: Any, apart: Any, expected: Any
) -> None:
    """Add to a row's expected errors what neighbours differ by, and what they were wrong by."""
    n, near, far = len(mean), min(len(offsets), NEAR), min(len(offsets), FAR)
    apart[:] = 0.0
    for j in range(far):
        one, two = values[place + offsets[j] :], values[place - offsets[j] :]
        for m in range(n):
            apart[0, m] += abs(one[2 * m] - mean[m]) + abs(two[2 * m] - mean[m])
        one, two = errors[place + offsets[j] :], errors[place - offsets[j] :]
        for m in range(n):
            apart[1, m] += one[2 * m] + two[2 * m]
        if j == near - 1:
            for m in range(n):
                expected[m] += apart[0, m] * terms[2] + apart[1, m] * terms[4]
        if j == far - 1:
            for m in range(n):
                expected[m] += apart[0, m] * terms[3] + apart[1, m] * terms[5]


@jit
def _quantise(target: Any, predicted: Any, width: float, rounding: float, steps: Any) -> None:
    """Steps of a row; see `Quantiser.steps`."""
    half = np.floor(width / 2)
    for m in range(len(target)):
        apart = target[m] - predicted[m]
        size = (abs(apart) + half) / width if rounding == 0.5 else abs(apart) / width + rounding
        magnitude = np.int64(np.floor(size))
        steps[m] = -magnitude if apart < 0 else magnitude
