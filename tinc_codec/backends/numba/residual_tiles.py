"""Tiles decoded by numba: the same integers as `tinc_codec.residual.tiles`, several times as fast."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.entropy import Lookup, begin, ended, take, take_bits
from tinc_codec.backends.numba.interlace import AXES, joined, split
from tinc_codec.backends.numba.passes import enter, predict
from tinc_codec.errors import CorruptStreamError
from tinc_codec.residual.interlace import passes
from tinc_codec.residual.prediction import MODERATE, UNIT
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.residual.tokens import DIRECT, LEADING, MOST_EXTRA, PIECE
from tinc_codec.stream.entropy import PRECISION, TOTAL

_BITS = 8
"""Leading bits of a quantile that a token is looked for by: there are few tokens, and many tables."""


class Prepared:
    """A chunk's parameters as the compiled parts want them; axes are the last ones of `AXES`."""

    def __init__(self, parameters: ResidualParameters) -> None:
        front = (0,) * (AXES - len(parameters.tiles))
        steps = passes(len(parameters.tiles), parameters.levels)
        self.passes = [
            PreparedPass(
                step.level,
                (*front, *step.parity),
                np.array([(*front, *pair) for pair in step.pairs[: model.pairs]], np.int64).reshape(-1, AXES),
                np.array(model.weights, np.float64),
                np.array([model.bias, model.floor, *model.spread], np.float64),
            )
            for step, model in zip(steps, parameters.models, strict=True)
        ]
        self.widths = parameters.widths
        self.thresholds = parameters.thresholds.astype(np.float64)
        self.top = float(parameters.domain.top)
        tables = parameters.frequencies
        certain = np.array([table.certain if table.frequencies is None else -1 for table in tables], np.int64)
        lookups = [
            Lookup(np.array([TOTAL]) if f is None else f, _BITS) for f in (table.frequencies for table in tables)
        ]
        ends = np.cumsum([0, *(len(lookup.cumulated) for lookup in lookups)]).astype(np.int64)
        cumulated = np.concatenate([lookup.cumulated for lookup in lookups])
        self.tables = (certain, ends, cumulated, np.stack([lookup.first for lookup in lookups]))


class PreparedPass(NamedTuple):
    """One pass; `terms` are the bias, the floor, and the weights of the expected error."""

    level: int
    parity: tuple[int, ...]
    offsets: NDArray[np.int64]
    weights: NDArray[np.float64]
    terms: NDArray[np.float64]

    def members(self, lattice: NDArray[Any]) -> NDArray[Any]:
        """The voxels of this pass among those of its lattice, in C order; not of the first pass."""
        return lattice[tuple(slice(odd, None, 2) for odd in self.parity)].ravel()


class _Code:
    """A tile's code while it is read."""

    def __init__(self, code: bytes, prepared: Prepared) -> None:
        self.words = np.frombuffer(code, "<u4").astype(np.uint32)
        self.state = np.zeros(3, np.uint64)
        self.prepared = prepared
        begin(self.words, self.state)

    def decoded(
        self, predicted: NDArray[np.float64], contexts: NDArray[np.int64], coded: NDArray[np.bool_] | None, level: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Voxels of a pass, and by how much their predictions were off."""
        kept = contexts if coded is None else contexts[coded]
        numbers = np.empty(len(kept), np.int64)
        if not _read(self.words, self.state, kept, *self.prepared.tables, numbers):
            raise CorruptStreamError("entropy-coded data does not decode")
        steps = numbers.astype(np.float64)
        if coded is not None:
            steps = np.zeros(len(contexts))
            steps[coded] = numbers
        voxels = np.clip(predicted + steps * self.prepared.widths[level], 0, self.prepared.top)
        return voxels, np.abs(voxels - predicted)


class TileDecoder:
    """Decodes the tiles of one chunk's residual; see `tinc_codec.backends.protocol.TileDecoder`."""

    def __init__(self, parameters: ResidualParameters) -> None:
        self._prepared = Prepared(parameters)
        self.nbytes = sum(array.nbytes for array in self._prepared.tables)

    def decode(
        self, code: bytes, base: NDArray[np.float64], mask: NDArray[np.bool_] | None, level: int = 0
    ) -> NDArray[np.float64]:
        """Integers of one tile."""
        return _decode_tile(code, self._prepared, base, mask, level)


def _decode_tile(
    code: bytes, prepared: Prepared, base: NDArray[np.float64], mask: NDArray[np.bool_] | None, last: int
) -> NDArray[np.float64]:
    """Integers of one tile, down to the lattice of level `last`."""
    shape = (1,) * (AXES - base.ndim) + base.shape
    model, reader = base.reshape(shape), _Code(code, prepared)
    coded = None if mask is None else mask.reshape(shape)
    coarsest = prepared.passes[0]
    lattice, wrong = _coarsest(reader, _every(model, coarsest.level), coarsest, _every(coded, coarsest.level))
    for level in reversed(range(last, coarsest.level)):
        steps = [step for step in prepared.passes[1:] if step.level == level]
        lattice, wrong = _finer(reader, _every(model, level), steps, _every(coded, level), lattice, wrong)
    if last == 0 and not ended(reader.words, reader.state):
        raise CorruptStreamError("entropy-coded data does not end where its symbols do")
    return lattice.reshape(lattice.shape[AXES - base.ndim :])


def _every(volume: Any, level: int) -> Any:
    """The lattice of a level."""
    return None if volume is None else volume[(slice(None, None, 2**level),) * AXES]


def _coarsest(
    reader: _Code, model: NDArray[np.float64], step: PreparedPass, coded: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first pass: every voxel of its lattice, from the model's prediction alone."""
    predicted = np.floor((model.ravel() * UNIT + (step.terms[0] + UNIT // 2)) * (1 / UNIT))
    np.clip(predicted, 0, reader.prepared.top, out=predicted)
    expected = step.terms[1] + predicted * (1 / MODERATE) * step.terms[6]
    contexts = np.searchsorted(reader.prepared.thresholds, expected, side="right")
    voxels, wrong = reader.decoded(predicted, contexts, None if coded is None else coded.ravel(), step.level)
    return voxels.reshape(model.shape), wrong.reshape(model.shape)


def _finer(
    reader: _Code,
    model: NDArray[np.float64],
    steps: list[PreparedPass],
    coded: NDArray[np.bool_] | None,
    lattice: NDArray[np.float64],
    wrong: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All passes of the next finer level."""
    fine, off = model.copy(), np.zeros(model.shape)
    fine[(slice(None, None, 2),) * AXES] = lattice
    off[(slice(None, None, 2),) * AXES] = wrong
    values, errors, own = split(fine), split(off), split(np.ascontiguousarray(model))
    n, top = model.shape[-1], reader.prepared.top
    for step in steps:
        size = math.prod((n - odd + 1) // 2 for n, odd in zip(model.shape, step.parity, strict=True))
        predicted, contexts = np.empty(size), np.empty(size, np.int64)
        predict(
            values, errors, own, n, step.parity, step.offsets, step.weights, step.terms, reader.prepared.thresholds,
            top, predicted, contexts,
        )  # fmt: skip
        voxels, mistakes = reader.decoded(
            predicted, contexts, None if coded is None else step.members(coded), step.level
        )
        enter(values, n, step.parity, voxels)
        enter(errors, n, step.parity, mistakes)
    joined(values, fine)
    joined(errors, off)
    return fine, off


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
