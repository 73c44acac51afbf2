"""Tiles to codes and back: tokens by context, pass by pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual import tokens
from tinc_codec.residual.classified import contexts
from tinc_codec.residual.interlace import Pass, passes
from tinc_codec.residual.lattice import Lattice
from tinc_codec.residual.prediction import expected_error, predict, spread_terms
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.stream.entropy import Decoder, Encoder, uniform


def _groups(keys: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Places of each key that occurs, keys ascending, places in order."""
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys)
    start = 0
    for key in np.flatnonzero(counts).tolist():
        yield key, order[start : start + counts[key]]
        start += int(counts[key])


def write_pass(
    encoder: Encoder, parameters: ResidualParameters, context: NDArray[np.uint8], numbers: tokens.Split
) -> None:
    """Append the voxels of one pass, their contexts and numbers in C order."""
    token, size, extra = numbers
    for key, places in _groups(context):
        encoder.coded(token[places], parameters.frequencies[key])
    for bits, places in _groups(size):
        rest = extra[places]
        for low in range(0, bits, tokens.PIECE):
            piece = min(tokens.PIECE, bits - low)
            encoder.coded(rest >> low & ((1 << piece) - 1), uniform(piece))


def read_pass(decoder: Decoder, parameters: ResidualParameters, context: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Take the voxels of one pass."""
    token = np.zeros(context.shape, np.uint8)
    for key, places in _groups(context):
        token[places] = decoder.coded(len(places), parameters.frequencies[key])
    size = tokens.extra_bits(token)
    extra = np.zeros(context.shape, np.int64)
    for bits, places in _groups(size.astype(np.uint8)):
        for low in range(0, bits, tokens.PIECE):
            piece = min(tokens.PIECE, bits - low)
            extra[places] += decoder.coded(len(places), uniform(piece)).astype(np.int64) << low
    return tokens.unzigzag(tokens.join(token, extra))


def _coded(step: Pass, mask: NDArray[np.bool_] | None, like: NDArray[Any]) -> NDArray[np.bool_]:
    """Which voxels of a pass are coded: those that are for the model."""
    return np.ones(like.shape, bool) if mask is None else step.members(mask)


def decode_tile(
    code: bytes,
    parameters: ResidualParameters,
    base: NDArray[np.float64],
    mask: NDArray[np.bool_] | None,
    level: int = 0,
) -> NDArray[np.float64]:
    """Integers of one tile.

    Parameters
    ----------
    code
        The tile's code.
    base
        What the model predicts, integers of the domain.
    mask
        Which voxels are coded; None: all.
    level
        Only the lattice of this level is decoded: every ``2 ** level``-th voxel along each axis.
    """
    decoder, top = Decoder(code), parameters.domain.top
    lattice, at = None, -1
    for step, model in zip(passes(base.ndim, parameters.levels), parameters.models, strict=True):
        if step.level < level:
            break
        if lattice is None or step.level != at:
            lattice, at = Lattice.begun(step.lattice(base), lattice), step.level
        if not step.odd(lattice.base).size:
            continue
        around = lattice.around(step)
        predicted = predict(around, step, model, top)
        terms = spread_terms(around, step, predicted, model.pairs)
        context = contexts(expected_error(terms, model), parameters.thresholds)
        coded = _coded(step, mask, predicted)
        steps = np.zeros(predicted.shape)
        steps[coded] = read_pass(decoder, parameters, context[coded])
        lattice.enter(step, np.clip(predicted + steps * parameters.widths[step.level], 0, top), predicted)
    if level == 0:
        decoder.end()
    assert lattice is not None
    return lattice.inner(lattice.values)


def base_of(parameters: ResidualParameters, shape: tuple[int, ...], model: NDArray[Any] | None) -> NDArray[np.float64]:
    """The prediction of a tile by the model, in the domain's integers."""
    return np.full(shape, float(parameters.start)) if model is None else parameters.domain.from_samples(model)
