"""The encoder's side of the residual: fit predictors to a chunk pass by pass, quantise, and write every tile.

Weights are found by least squares on what the decoder will know, with the expected error as the standard deviation:
edges do not rule over the flat regions, which are most of a volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual import tokens
from tinc_codec.residual.integer_domain import IntegerDomain
from tinc_codec.residual.interlace import Pass, passes, tile_bounds
from tinc_codec.residual.prediction import (
    LARGEST_WEIGHT,
    PLAIN,
    SPREADS,
    UNIT,
    Known,
    PassModel,
    expected_error,
    pair_sums,
    predict,
    spread_terms,
    start,
    update,
)
from tinc_codec.residual.section import LARGEST_OFFSET, MOST_CONTEXTS, ResidualParameters, pack
from tinc_codec.residual.tiles import base_of, contexts, write_pass
from tinc_codec.stream.entropy import Encoder

TILE_VOXELS = 2**18
"""Voxels of a tile, about: small enough to be read alone, large enough that borders and code ends cost little."""

PAIRS = 24
"""Pairs of the finest passes; each costs its share of the decoding time."""

VOXELS_PER_WEIGHT = 150
"""A pass with fewer voxels uses fewer pairs, so that weights do not cost more than they save."""

CONTEXTS = 24
VOXELS_PER_CONTEXT = 1500

_FITTED = 2**17
"""Voxels of a pass that its weights are fitted to."""


@dataclass(frozen=True)
class Quantiser:
    """How residuals are quantised.

    Parameters
    ----------
    width
        Quantisation step, in the domain's integers.
    rounding
        What is added before rounding down; 0.5 keeps the error within half a step, less makes zeros more likely.
    """

    width: int
    rounding: float = 0.5

    def steps(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantise differences of integer value."""
        if self.rounding == 0.5:
            half = self.width // 2
            magnitude = np.floor((np.abs(difference) + half) / self.width)
        else:
            magnitude = np.floor(np.abs(difference) / self.width + self.rounding)
        return np.asarray(np.copysign(magnitude, difference) + 0.0)


@dataclass(frozen=True, eq=False)
class Volume:
    """A chunk's integers, and what the model says of them.

    Parameters
    ----------
    domain
        The domain that they are integers of.
    values
        float64 of integer value, folded shape; what lies where `mask` is False does not matter.
    mask
        Which voxels are coded; None: all.
    model
        The model's samples; None: there is no model.
    """

    domain: IntegerDomain
    values: NDArray[np.float64]
    mask: NDArray[np.bool_] | None
    model: NDArray[Any] | None


@dataclass(frozen=True, eq=False)
class Coded:
    """A coded residual.

    Parameters
    ----------
    section
        The section's payload.
    values
        What its decoder gives, integers of the domain.
    """

    section: bytes
    values: NDArray[np.float64]


@dataclass(eq=False)
class _Tile:
    place: tuple[slice, ...]
    known: Known
    target: NDArray[np.float64]
    mask: NDArray[np.bool_] | None


@dataclass(frozen=True, eq=False)
class _Step:
    """What one pass made of one tile: C order, coded voxels only."""

    expected: NDArray[np.float64]
    steps: NDArray[np.int64]


def tile_grid(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Number of tiles along each axis: about `TILE_VOXELS` each, as near to cubes as the shape has it."""
    edges = list(shape)
    while math.prod(edges) > TILE_VOXELS:
        longest = max(range(len(edges)), key=lambda axis: (edges[axis], axis))
        edges[longest] = -(-edges[longest] // 2)
    return tuple(-(-n // edge) for n, edge in zip(shape, edges, strict=True))


def _levels(shape: tuple[int, ...], tiles: tuple[int, ...]) -> int:
    """Halvings of the stride that leave about four voxels of the coarsest lattice along a tile's longest axis."""
    longest = max(-(-n // g) for n, g in zip(shape, tiles, strict=True))
    return max(0, (longest - 1).bit_length() - 2)


def encode(volume: Volume, quantiser: Quantiser) -> Coded:
    """Code a volume.

    Parameters
    ----------
    volume
        What to code.
    quantiser
        With `rounding` 0.5 no coded voxel differs by more than half of `width`.
    """
    shape, domain = volume.values.shape, volume.domain
    tiles = tile_grid(shape)
    levels = _levels(shape, tiles)
    chosen = volume.values if volume.mask is None else volume.values[volume.mask]
    middle = int(np.partition(chosen.ravel(), chosen.size // 2)[chosen.size // 2]) if chosen.size else 0
    blank = ResidualParameters(domain, middle, tiles, (quantiser.width,) * (levels + 1), (), np.zeros(0, np.int64), ())
    work = [_tile(volume, blank, place) for place in tile_bounds(shape, tiles)]
    models: list[PassModel] = []
    records: list[list[_Step]] = []
    for step in passes(len(shape), levels):
        model, coded = _run(step, work, quantiser, domain.top)
        models.append(model)
        records.append(coded)
    thresholds, tables = _tables(records)
    parameters = ResidualParameters(
        domain, 0 if volume.model is not None else middle, tiles, blank.widths, tuple(models), thresholds, tables
    )
    codes = []
    for number in range(len(work)):
        encoder = Encoder()
        for coded in records:
            write_pass(encoder, parameters, contexts(coded[number].expected, thresholds), coded[number].steps)
        codes.append(_trimmed(encoder.bytes()))
    values = np.empty(shape)
    for tile in work:
        values[tile.place] = tile.known.values
    return Coded(pack(parameters, codes), values)


def _trimmed(code: bytes) -> bytes:
    """A code without the words of zeros at its end, which a decoder reads there anyway."""
    return code[: -(-len(code.rstrip(b"\0")) // 4) * 4]


def _tile(volume: Volume, parameters: ResidualParameters, place: tuple[slice, ...]) -> _Tile:
    target = volume.values[place]
    base = base_of(parameters, target.shape, None if volume.model is None else volume.model[place])
    return _Tile(place, start(base), target, None if volume.mask is None else volume.mask[place])


def _run(step: Pass, work: list[_Tile], quantiser: Quantiser, top: int) -> tuple[PassModel, list[_Step]]:
    """Fit the predictor of a pass, and code the pass in every tile."""
    coded = [_coded(tile, step) for tile in work]
    fitted = [(tile, inside) for tile, inside in zip(work, coded, strict=True) if inside.any()]
    count = sum(int(np.count_nonzero(inside)) for _, inside in fitted)
    pairs = min(PAIRS, len(step.pairs), count // VOXELS_PER_WEIGHT)
    if pairs > 1:
        model = _fit(step, fitted, pairs, max(1, count // _FITTED), quantiser, top)
    else:
        plain = PLAIN if step.pairs else PLAIN[:1]
        model = min(plain, key=lambda model: sum(_misses(step, *part, model, top) for part in fitted))
    return model, [_apply(step, *part, model, quantiser, top) for part in zip(work, coded, strict=True)]


def _misses(step: Pass, tile: _Tile, inside: NDArray[np.bool_], model: PassModel, top: int) -> float:
    predicted, _ = predict(tile.known, step, model, top)
    return float(np.log2(1 + np.abs(step.members(tile.target) - predicted))[inside].sum())


def _coded(tile: _Tile, step: Pass) -> NDArray[np.bool_]:
    members = step.members(tile.target)
    return np.ones(members.shape, bool) if tile.mask is None else step.members(tile.mask)


def _apply(
    step: Pass, tile: _Tile, inside: NDArray[np.bool_], model: PassModel, quantiser: Quantiser, top: int
) -> _Step:
    if not inside.size:
        return _Step(np.zeros(0), np.zeros(0, np.int64))
    predicted, around = predict(tile.known, step, model, top)
    expected = expected_error(spread_terms(tile.known, step, predicted, around, model.pairs), model)
    steps = np.where(inside, quantiser.steps(step.members(tile.target) - predicted), 0.0)
    update(tile.known, step, predicted, steps, quantiser.width, top)
    return _Step(expected[inside], steps[inside].astype(np.int64))


class _Normal:
    """Normal equations of a weighted least-squares problem, gathered tile by tile."""

    def __init__(self, unknowns: int) -> None:
        self._matrix, self._right = np.zeros((unknowns, unknowns)), np.zeros(unknowns)

    def add(self, rows: NDArray[np.float64], target: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        """Add equations: `rows` is (unknowns, equations)."""
        weighted = rows * weight
        self._matrix += weighted @ rows.T
        self._right += weighted @ target

    def solve(self) -> NDArray[np.float64]:
        """Solve, with a ridge that only matters where the equations say nothing."""
        size = np.sqrt(np.diag(self._matrix))
        size = np.where(size > 0, size, 1.0)
        scaled = self._matrix / np.outer(size, size) + 1e-6 * np.eye(len(size))
        return np.asarray(np.linalg.solve(scaled, self._right / size) / size)


def _fit(
    step: Pass,
    tiles: list[tuple[_Tile, NDArray[np.bool_]]],
    pairs: int,
    every: int,
    quantiser: Quantiser,
    top: int,
) -> PassModel:
    predictor = _Normal(pairs + 1)
    for tile, inside in tiles:
        predictor.add(*_prediction_equations(step, tile, inside, pairs, every, quantiser))
    solution = predictor.solve()
    weights = tuple(int(w) for w in np.clip(np.rint(solution[1:] * UNIT), -LARGEST_WEIGHT, LARGEST_WEIGHT))
    model = PassModel(weights, _offset(solution[0]), (0,) * SPREADS, 0)
    spread = _Normal(SPREADS + 1)
    for tile, inside in tiles:
        predicted, around = predict(tile.known, step, model, top)
        terms = spread_terms(tile.known, step, predicted, around, pairs)
        rows = np.stack([np.ones(predicted.shape), *terms])[:, inside][:, ::every]
        target = np.abs(step.members(tile.target) - predicted)[inside][::every]
        spread.add(rows, target, _doubt(rows[1], rows[3], quantiser.width / 4) ** -2)
    solution = spread.solve()
    spreads = tuple(int(w) for w in np.clip(np.rint(solution[1:] * UNIT), -LARGEST_WEIGHT, LARGEST_WEIGHT))
    return PassModel(weights, model.bias, spreads, _offset(solution[0]))


def _prediction_equations(
    step: Pass, tile: _Tile, inside: NDArray[np.bool_], pairs: int, every: int, quantiser: Quantiser
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    model = PassModel((0,) * pairs, 0, (0,) * SPREADS, 0)
    predicted, around = predict(tile.known, step, model, 2**53)
    near = spread_terms(tile.known, step, predicted, around, pairs)
    first, *others = (pair[inside][::every] for pair in pair_sums(around, step, pairs))
    base = step.members(tile.known.base)[inside][::every]
    rows = np.stack([np.ones(first.shape), 2 * base - first, *(pair - first for pair in others)])
    target = step.members(tile.target)[inside][::every] - first / 2
    return rows, target, _doubt(near[0][inside][::every], near[2][inside][::every], quantiser.width) ** -2


def _doubt(differences: NDArray[np.float64], mistakes: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Rough size of the error to expect, from the sums over the near neighbours."""
    return (differences + mistakes) / 4 + least


def _offset(value: float) -> int:
    return int(np.clip(round(value * UNIT), -LARGEST_OFFSET, LARGEST_OFFSET))


def _tables(records: list[list[_Step]]) -> tuple[NDArray[np.int64], tuple[bytes, ...]]:
    """Thresholds of the contexts at quantiles of the expected error, and each context's frequencies."""
    expected = np.concatenate([step.expected for steps in records for step in steps])
    steps = np.concatenate([step.steps for tiles in records for step in tiles])
    count = min(CONTEXTS, MOST_CONTEXTS, max(1, len(steps) // VOXELS_PER_CONTEXT))
    inner = np.quantile(expected, np.arange(1, count) / count) if len(expected) else np.zeros(0)
    thresholds = np.unique(np.clip(np.ceil(inner), 0, 2**53)).astype(np.int64)
    context = contexts(expected, thresholds)
    token, _, _ = tokens.split(tokens.zigzag(steps))
    tables = tuple(tokens.frequencies(token[context == number]) for number in range(len(thresholds) + 1))
    return thresholds, tables
