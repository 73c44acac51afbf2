"""Tiles decoded by numba: the same integers as `tinc_codec.residual.tiles`, several times as fast."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.entropy import Lookup, begin, ended, take, take_bits
from tinc_codec.backends.numba.interlace import AXES, joined, split
from tinc_codec.backends.numba.passes import classify, enter, predict
from tinc_codec.errors import CorruptStreamError
from tinc_codec.residual.interlace import passes
from tinc_codec.residual.prediction import MODERATE, UNIT
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.residual.tokens import DIRECT, LEADING, MOST_EXTRA, PIECE
from tinc_codec.stream.entropy import PRECISION, TOTAL, Table

_BITS = 8
"""Leading bits of a quantile that a token is looked for by: there are few tokens, and many tables."""

_ERRORS = ("", "entropy-coded data does not decode", "entropy-coded data does not end where its symbols do")


class Passes(NamedTuple):
    """All passes of a tile, and what they have in common; axes are the last ones of `AXES`."""

    levels: NDArray[np.int64]
    parities: NDArray[np.int64]
    ends: NDArray[np.int64]
    """Where the offsets of each pass's pairs begin, and where the last one's end."""
    offsets: NDArray[np.int64]
    weights: NDArray[np.float64]
    terms: NDArray[np.float64]
    """Of each pass the bias, the floor, and the weights of the expected error."""
    widths: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    top: float


class Tables(NamedTuple):
    """Tables of all contexts: the token that is certain, or -1; where each table begins; them; first candidates."""

    certain: NDArray[np.int64]
    ends: NDArray[np.int64]
    cumulated: NDArray[np.uint64]
    first: NDArray[np.int32]


def _passes(parameters: ResidualParameters) -> Passes:
    axes, models = len(parameters.tiles), parameters.models
    front, steps = (0,) * (AXES - axes), passes(axes, parameters.levels)
    pairs = [step.pairs[: model.pairs] for step, model in zip(steps, models, strict=True)]
    return Passes(
        np.array([step.level for step in steps], np.int64),
        np.array([(*front, *step.parity) for step in steps], np.int64),
        np.cumsum([0, *map(len, pairs)]).astype(np.int64),
        np.array([(*front, *pair) for each in pairs for pair in each], np.int64).reshape(-1, AXES),
        np.array([weight for model in models for weight in model.weights], np.float64),
        np.array([(model.bias, model.floor, *model.spread) for model in models], np.float64),
        np.array(parameters.widths, np.float64),
        parameters.thresholds.astype(np.float64),
        float(parameters.domain.top),
    )


def _tables(tables: tuple[Table, ...]) -> Tables:
    certain = np.array([table.certain if table.frequencies is None else -1 for table in tables], np.int64)
    lookups = [Lookup(np.array([TOTAL]) if f is None else f, _BITS) for f in (table.frequencies for table in tables)]
    ends = np.cumsum([0, *(len(lookup.cumulated) for lookup in lookups)]).astype(np.int64)
    cumulated = np.concatenate([lookup.cumulated for lookup in lookups])
    return Tables(certain, ends, cumulated, np.stack([lookup.first for lookup in lookups]))


class TileDecoder:
    """Decodes the tiles of one chunk's residual; see `tinc_codec.backends.protocol.TileDecoder`."""

    def __init__(self, parameters: ResidualParameters) -> None:
        self._passes, self._tables = _passes(parameters), _tables(parameters.frequencies)
        self.nbytes = sum(array.nbytes for array in self._tables)

    def decode(
        self, code: bytes, base: NDArray[np.float64], mask: NDArray[np.bool_] | None, level: int = 0
    ) -> NDArray[np.float64]:
        """Integers of one tile."""
        shape = (1,) * (AXES - base.ndim) + base.shape
        words = np.frombuffer(code, "<u4").astype(np.uint32)
        coded = np.zeros((0,) * AXES, np.bool_) if mask is None else np.ascontiguousarray(mask).reshape(shape)
        model = np.ascontiguousarray(base).reshape(shape)
        decoded, error = _decoded(words, self._passes, self._tables, model, coded, level)
        if error:
            raise CorruptStreamError(_ERRORS[error])
        lattice: NDArray[np.float64] = decoded.reshape(decoded.shape[AXES - base.ndim :])
        return lattice


@jit
def _every(volume: Any, level: int) -> Any:
    """The lattice of a level; of nothing, nothing."""
    stride = 1 << level
    n0, n1, n2, n3 = volume.shape
    out = np.empty((-(-n0 // stride), -(-n1 // stride), -(-n2 // stride), -(-n3 // stride)), volume.dtype)
    for a in range(out.shape[0]):
        for b in range(out.shape[1]):
            for c in range(out.shape[2]):
                row, source = out[a, b, c], volume[a * stride, b * stride, c * stride]
                for m in range(len(row)):
                    row[m] = source[m * stride]
    return out


@jit
def _odd(lattice: Any, parity: Any) -> Any:
    """The voxels of a pass among those of its lattice, in C order; of nothing, nothing."""
    n0, n1, n2, n3 = lattice.shape
    out, k = np.empty(lattice.size, lattice.dtype), 0
    for a in range(parity[0], n0, 2):
        for b in range(parity[1], n1, 2):
            for c in range(parity[2], n2, 2):
                row = lattice[a, b, c]
                for m in range(parity[3], n3, 2):
                    out[k] = row[m]
                    k += 1
    return out[:k]


@jit
def _enter_coarser(coarser: Any, lattice: Any) -> None:
    """Enter the lattice of twice the stride."""
    for a in range(coarser.shape[0]):
        for b in range(coarser.shape[1]):
            for c in range(coarser.shape[2]):
                row, source = lattice[2 * a, 2 * b, 2 * c], coarser[a, b, c]
                for m in range(len(source)):
                    row[2 * m] = source[m]


@jit
def _voxels(
    words: Any, state: Any, tables: Tables, contexts: Any, coded: Any, masked: bool, width: float, top: float,
    predicted: Any, mistakes: Any,
) -> Any:  # fmt: skip
    """Make predictions the voxels of a pass, and note by how much they were off; False: no encoder wrote the words."""
    kept = contexts[coded] if masked else contexts
    numbers, k = np.empty(len(kept), np.int64), 0
    if not _read(words, state, kept, tables.certain, tables.ends, tables.cumulated, tables.first, numbers):
        return False
    for m in range(len(predicted)):
        number = 0.0
        if not masked or coded[m]:
            number = float(numbers[k])
            k += 1
        voxel = min(max(predicted[m] + number * width, 0.0), top)
        mistakes[m] = abs(voxel - predicted[m])
        predicted[m] = voxel
    return True


@jit
def _coarsest(words: Any, state: Any, p: Passes, tables: Tables, model: Any, coded: Any, masked: bool) -> Any:
    """The first pass: every voxel of its lattice, from the model's prediction alone."""
    voxels, mistakes, contexts = model.copy().reshape(-1), np.empty(model.size), np.empty(model.size, np.int64)
    terms, expected = p.terms[0], np.empty(model.size)
    for m in range(len(voxels)):
        value = np.floor((voxels[m] * UNIT + (terms[0] + UNIT // 2)) * (1 / UNIT))
        voxels[m] = min(max(value, 0.0), p.top)
        expected[m] = terms[1] + voxels[m] * (1 / MODERATE) * terms[6]
    classify(expected, p.thresholds, contexts)
    good = _voxels(
        words, state, tables, contexts, coded.reshape(-1), masked, p.widths[p.levels[0]], p.top, voxels, mistakes
    )
    return voxels.reshape(model.shape), mistakes.reshape(model.shape), good


@jit
def _finer(
    words: Any, state: Any, p: Passes, tables: Tables, first: int, last: int, model: Any, coded: Any, masked: bool,
    lattice: Any, wrong: Any,
) -> Any:  # fmt: skip
    """Passes from `first` on, all of the next finer level."""
    fine, off = model.copy(), np.zeros(model.shape)
    _enter_coarser(lattice, fine)
    _enter_coarser(wrong, off)
    values, errors, own, n = split(fine), split(off), split(model), model.shape[3]
    for number in range(first, last):
        parity, pairs = p.parities[number], slice(p.ends[number], p.ends[number + 1])
        size = 1
        for axis in range(AXES):
            size *= (model.shape[axis] - parity[axis] + 1) // 2
        predicted, mistakes, contexts = np.empty(size), np.empty(size), np.empty(size, np.int64)
        predict(
            values, errors, own, n, parity, p.offsets[pairs], p.weights[pairs], p.terms[number], p.thresholds, p.top,
            predicted, contexts,
        )  # fmt: skip
        if not _voxels(
            words, state, tables, contexts, _odd(coded, parity), masked, p.widths[p.levels[number]], p.top, predicted,
            mistakes,
        ):  # fmt: skip
            return fine, off, False
        enter(values, n, parity, predicted)
        enter(errors, n, parity, mistakes)
    joined(values, fine)
    joined(errors, off)
    return fine, off, True


@jit
def _decoded(words: Any, p: Passes, tables: Tables, base: Any, coded: Any, last: int) -> Any:
    """Integers of one tile, down to the lattice of level `last`, and the number of what is wrong with the words."""
    state, masked, level = np.zeros(3, np.uint64), coded.size > 0, p.levels[0]
    begin(words, state)
    lattice, wrong, good = _coarsest(words, state, p, tables, _every(base, level), _every(coded, level), masked)
    number = 1
    while good and number < len(p.levels) and p.levels[number] >= last:
        level, first = p.levels[number], number
        while number < len(p.levels) and p.levels[number] == level:
            number += 1
        lattice, wrong, good = _finer(
            words, state, p, tables, first, number, _every(base, level), _every(coded, level), masked, lattice, wrong
        )
    if not good:
        return lattice, 1
    return lattice, 2 if last == 0 and not ended(words, state) else 0


@jit
def _read(words: Any, state: Any, contexts: Any, certain: Any, ends: Any, cumulated: Any, first: Any, out: Any) -> bool:
    """Numbers of the coded voxels of a pass; FORMAT.md, "Tokens"."""
    order, borders = _sorted(contexts, len(certain))
    run, tokens = np.empty(len(contexts), np.int32), np.empty(len(contexts), np.int64)
    for context in range(len(certain)):
        part = run[borders[context] : borders[context + 1]]
        if certain[context] >= 0:
            part[:] = certain[context]
        elif not take(
            words, state, cumulated[ends[context] : ends[context + 1]], first[context], PRECISION - _BITS, part
        ):
            return False
    for k in range(len(order)):
        tokens[order[k]] = run[k]
    extra = np.zeros(len(contexts), np.int64)
    if not _extra(words, state, tokens, run, extra):
        return False
    for k in range(len(tokens)):
        number = tokens[k]
        if number >= DIRECT:
            above = number - DIRECT
            number = ((LEADING + above % LEADING) << (1 + above // LEADING)) + extra[k]
        out[k] = -((number + 1) >> 1) if number & 1 else number >> 1
    return True


@jit
def _sorted(keys: Any, count: int) -> Any:
    """Places of the keys 0 .. count - 1 one after the other, each in order, and where each key's begin."""
    borders = np.zeros(count + 1, np.int64)
    for key in keys:
        borders[key + 1] += 1
    borders = np.cumsum(borders)
    place, order = borders[:-1].copy(), np.empty(len(keys), np.int64)
    for k in range(len(keys)):
        order[place[keys[k]]] = k
        place[keys[k]] += 1
    return order, borders


@jit
def _extra(words: Any, state: Any, tokens: Any, spare: Any, extra: Any) -> bool:
    """The extra bits of all tokens, by their number."""
    sizes = np.zeros(MOST_EXTRA + 1, np.int64)
    for token in tokens:
        if token >= DIRECT:
            sizes[1 + (token - DIRECT) // LEADING] += 1
    for size in range(1, MOST_EXTRA + 1):
        for low in range(0, size if sizes[size] else 0, PIECE):
            if not take_bits(words, state, min(PIECE, size - low), spare[: sizes[size]]):
                return False
            at = 0
            for k in range(len(tokens)):
                if tokens[k] >= DIRECT and 1 + (tokens[k] - DIRECT) // LEADING == size:
                    extra[k] += np.int64(spare[at]) << low
                    at += 1
    return True
