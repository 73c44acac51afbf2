"""From samples to a stream: lossless, or a fitted tree with what must be exact beside it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinc_codec import metrics, progress
from tinc_codec.config import Config, process
from tinc_codec.decoding import Quality, samples
from tinc_codec.errors import MissingDependencyError, TrainingError, UnsupportedDataError
from tinc_codec.stream import exact, lossless, weights
from tinc_codec.stream.container import (
    LARGEST_CHUNK,
    LARGEST_RANK,
    Container,
    Header,
    ModelKind,
    Section,
    pack,
    supported,
)
from tinc_codec.stream.fields import Writer
from tinc_codec.tree.allocation import allocate
from tinc_codec.tree.model import Layer, Model
from tinc_codec.tree.partition import fold
from tinc_codec.tree.structure import Tree

log = logging.getLogger("tinc_codec")

BITS_PER_PARAMETER = 5.2
"""What a parameter costs where the budget is best spent between many parameters and fine ones."""

SMALLEST_TREE = 24
"""Parameters to try where the budget has no room for any: the smallest form there is."""

_ATTEMPTS = 3
"""Trees to try, each smaller, where a stream stays above its budget."""


@dataclass(frozen=True, eq=False)
class Source:
    """A chunk to encode.

    Parameters
    ----------
    header
        Shape, dtype and order as given.
    values
        The samples, native byte order, C order, folded shape.
    finite
        Which samples the model is for; the others are stored exactly. None: all.
    """

    header: Header
    values: NDArray[Any]
    finite: NDArray[np.bool_] | None


def encode(array: ArrayLike, config: Config) -> bytes:
    """Encode a chunk.

    Parameters
    ----------
    array
        Integers or floats of 1 to 8 bytes, either byte order, C or F order; not written to.
    config
        The settings.

    Returns
    -------
    bytes
        At most ``raw bytes / ratio``; only a chunk too small for any network is larger (it is logged).

    Raises
    ------
    UnsupportedDataError
        The dtype or the number of axes is not one that can be stored.
    MissingDependencyError
        torch is not installed.
    """
    source = prepare(array)
    exactly = _lossless(source)
    budget = math.floor(source.header.raw_bytes / config.ratio)
    if len(exactly) <= budget:
        return exactly
    try:
        modelled = _modelled(source, budget, config)
    except TrainingError as error:
        log.warning("a chunk of shape %s is stored losslessly: %s", source.header.shape, error)
        return exactly
    if modelled is None or len(modelled) > len(exactly):
        modelled = exactly
    if len(modelled) > budget:
        log.info(
            "a chunk of shape %s takes %d bytes, above the %d of ratio %g: it is too small, or what is stored exactly "
            "too much",
            source.header.shape,
            len(modelled),
            budget,
            config.ratio,
        )
    return modelled


def check_dtype(dtype: np.dtype[np.generic]) -> None:
    """Raise `UnsupportedDataError` unless samples of `dtype` can be stored."""
    if not supported(dtype):
        raise UnsupportedDataError(
            f"dtype {dtype} is not supported: give integers of 8 to 64 bits or floats of 16 to 64 bits"
            + (" (view booleans as uint8)" if dtype.kind == "b" else "")
            + (" (store real and imaginary parts as an axis)" if dtype.kind == "c" else "")
            + (" (view times as int64)" if dtype.kind in "mM" else "")
        )


def prepare(array: ArrayLike) -> Source:
    """Check and normalise what was given; nothing is written in place."""
    given = np.asarray(array)
    check_dtype(given.dtype)
    if given.ndim > LARGEST_RANK or given.nbytes > LARGEST_CHUNK:
        raise UnsupportedDataError(
            f"a chunk of shape {given.shape} and {given.nbytes} bytes is too large: at most {LARGEST_RANK} axes and "
            f"{LARGEST_CHUNK} bytes"
        )
    order = "F" if given.flags.f_contiguous and not given.flags.c_contiguous else "C"
    values = np.ascontiguousarray(given, given.dtype.newbyteorder("=")).reshape(
        fold(given.shape) if given.size else (0,)
    )
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(1, bool)
    header = Header(given.shape, given.dtype, order, ModelKind.NONE, True)
    return Source(header, values, None if finite.all() else finite)


def _lossless(source: Source) -> bytes:
    return pack(Container(source.header, {Section.LOSSLESS: lossless.pack(source.values)}))


def _modelled(source: Source, budget: int, config: Config) -> bytes | None:
    """The smallest overrun or, at best, a stream within the budget; None where no tree can be made."""
    scaled = _Scaled.of(source)
    kept: dict[int, bytes] = {} if source.finite is None else {Section.EXACT: exact.pack(source.values, ~source.finite)}
    parameters = (budget - sum(map(len, kept.values())) - 100) * 8 / BITS_PER_PARAMETER
    best: bytes | None = None
    for _ in range(_ATTEMPTS):
        allocation = allocate(scaled.volume, max(SMALLEST_TREE, int(parameters)), config)
        if allocation is None:
            break
        stream = _stream(source, scaled, allocation.tree, kept, budget, config)
        best = stream if best is None or len(stream) < len(best) else best
        if len(best) <= budget or parameters <= SMALLEST_TREE:
            break
        parameters *= min(0.8, budget / len(best))
    return best


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Samples as float64 around 1, so that no square overflows: ``volume = values / 2^exponent``."""

    volume: NDArray[np.float64]
    exponent: int
    low: np.generic
    high: np.generic

    @classmethod
    def of(cls, source: Source) -> _Scaled:
        values = source.values
        known = values if source.finite is None else values[source.finite]
        low, high = known.min(), known.max()
        exponent = math.frexp(max(abs(float(low)), abs(float(high))))[1]
        volume = np.ldexp(values.astype(np.float64), -exponent)
        if source.finite is not None:
            volume[~source.finite] = np.median(volume[source.finite])
        return cls(volume, exponent, low, high)


def _stream(source: Source, scaled: _Scaled, tree: Tree, kept: dict[int, bytes], budget: int, config: Config) -> bytes:
    """Fit `tree` and write the stream, with the quality that its decoder really gives."""
    header = replace(source.header, kind=ModelKind.SINE_TREE, lossless=False)
    blank = _model(source, scaled, tree)
    nothing = {**kept, Section.QUALITY: _quality(Quality(0, 0, 0, 0))}

    def container(layers: tuple[Layer, ...], sections: dict[int, bytes]) -> Container:
        return Container(header, {**sections, **weights.pack(replace(blank, layers=layers))})

    layers: tuple[Layer, ...] = ()
    if tree.tensors:
        layers = _fit(source, scaled, tree, blank, budget, config, lambda x: len(pack(container(x, nothing))))
    final = container(layers, nothing)
    quality = measure(source, samples(final))
    return pack(Container(header, {**final.sections, Section.QUALITY: _quality(quality)}))


def _model(source: Source, scaled: _Scaled, tree: Tree) -> Model:
    """The model but for its layers."""
    dtype = source.values.dtype
    rest = np.ones(math.prod(tree.partition.leaf_grid), bool)
    rest[tree.leaves] = False
    values = source.values
    if source.finite is not None:
        values = np.where(source.finite, values, np.median(values[source.finite]).astype(dtype))
    blocks = tree.partition.to_blocks(values)[rest]
    middle = np.partition(blocks, blocks.shape[1] // 2, axis=1)[:, blocks.shape[1] // 2]
    mean = math.ldexp(float(scaled.volume.mean()), scaled.exponent)
    offset = (
        dtype.type(mean) if dtype.kind == "f" else dtype.type(min(max(round(mean), int(scaled.low)), int(scaled.high)))
    )
    return Model(tree, (), dtype, offset, scaled.low, scaled.high, middle)


def _fit(
    source: Source,
    scaled: _Scaled,
    tree: Tree,
    blank: Model,
    budget: int,
    config: Config,
    size: Callable[[tuple[Layer, ...]], int],
) -> tuple[Layer, ...]:
    try:
        from tinc_codec.fit import device, training
        from tinc_codec.fit.samples import samples as training_samples
    except ImportError as error:
        raise MissingDependencyError("encoding needs torch: pip install 'tinc-codec[torch]'") from error

    recipe = training.Recipe(training.STEPS[config.effort])
    points = min(recipe.points, max(16, process().batch // len(tree.leaves)), math.prod(tree.partition.leaf_shape))
    recipe = replace(recipe, points=points)
    with device.training(points * len(tree.leaves)) as place:
        offset = math.ldexp(float(blank.offset), -scaled.exponent)
        prepared = training_samples(tree, scaled.volume, source.finite, offset, place)
        unit = replace(
            prepared, gain=math.ldexp(prepared.gain, scaled.exponent), shift=math.ldexp(prepared.shift, scaled.exponent)
        )
        problem = training.Problem(tree, unit, budget, size)
        fitted = training.fit(problem, recipe, config.seed, progress.reporter(source.header.raw_bytes))
    log.debug("fitted %d parameters in %d steps: %s", tree.parameters, fitted.steps, fitted.reason)
    return fitted.layers


def measure(source: Source, decoded: NDArray[Any]) -> Quality:
    """Compare with the original, over the samples that are not stored exactly."""
    original, decoded = source.values, decoded.reshape(source.values.shape)
    if source.finite is not None:
        original, decoded = original[source.finite], decoded[source.finite]
    rmse, largest = metrics.rmse(original, decoded), metrics.max_error(original, decoded)
    return Quality(rmse, largest, float(original.min()), float(original.max()))


def _quality(quality: Quality) -> bytes:
    out = Writer()
    for value in (quality.rmse, quality.max_error, quality.low, quality.high):
        out.number("d", value)
    return out.bytes()
