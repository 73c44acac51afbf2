"""Model a chunk: allocate a tree, fit it, write the stream, and measure what its decoder gives."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.config import Config, process
from tinc_codec.decoding import Quality, samples
from tinc_codec.errors import CorruptStreamError, MissingDependencyError, TrainingError
from tinc_codec.progress import Report
from tinc_codec.source import Source
from tinc_codec.stream import exact, weights
from tinc_codec.stream.container import Container, ModelKind, Section, pack, unpack
from tinc_codec.stream.fields import Writer
from tinc_codec.tree.allocation import allocate
from tinc_codec.tree.model import Layer, Model
from tinc_codec.tree.structure import Tree

log = logging.getLogger("tinc_codec")

BITS_PER_PARAMETER = 5.2
"""What a parameter costs where the budget is best spent between many parameters and fine ones."""

SMALLEST_TREE = 24
"""Parameters to try where the budget has no room for any: the smallest form there is."""

_ATTEMPTS = 3
"""Trees to try, each smaller, where a stream stays above its budget."""

_OVERHEAD = 100
"""Bytes that a stream takes beside what it stores exactly and its weights, about."""


@dataclass(frozen=True, eq=False)
class Modelling:
    """One chunk's modelling.

    Parameters
    ----------
    source
        The chunk; it has samples that are for the model.
    budget
        Bytes that the stream may take.
    config
        The settings.
    report
        Told of the training, and asked whether to go on.
    """

    source: Source
    budget: int
    config: Config
    report: Report

    def run(self) -> bytes | None:
        """The stream: within the budget or, where none is, the smallest that was made; None where no tree fits.

        Raises
        ------
        TrainingError
            Training diverged at every rate, or its result cannot be stored.
        MissingDependencyError
            torch is not installed.
        """
        source, best = self.source, None
        kept: dict[int, bytes] = {}
        if source.modelled is not None:
            kept[Section.EXACT] = exact.pack(source.values, ~source.modelled)
        config = self.config
        if config.threshold is not None:  # allocation sees the scaled samples
            config = replace(config, threshold=math.ldexp(config.threshold, -source.exponent))
        parameters = (self.budget - sum(map(len, kept.values())) - _OVERHEAD) * 8 / BITS_PER_PARAMETER
        for _ in range(_ATTEMPTS):
            found = allocate(source.volume, max(SMALLEST_TREE, int(parameters)), config)
            if found is None:
                break
            log.info("training %d parameters for a chunk of shape %s", found.tree.parameters, source.header.shape)
            log.debug("similarity %.2f: %s, %s", found.similarity, found.inter_level, found.intra_level)
            stream = self._stream(found.tree, kept)
            best = stream if best is None or len(stream) < len(best) else best
            if len(best) <= self.budget or parameters <= SMALLEST_TREE:
                break
            parameters *= min(0.8, self.budget / len(best))
        return best

    def _stream(self, tree: Tree, kept: dict[int, bytes]) -> bytes:
        """Fit `tree` and write the stream, with the quality that its decoder really gives."""
        header = replace(self.source.header, kind=ModelKind.SINE_TREE, lossless=False)
        blank = self._blank(tree)
        nothing = {**kept, Section.QUALITY: _quality(Quality(0, 0, 0, 0))}

        def container(layers: tuple[Layer, ...]) -> Container:
            return Container(header, {**nothing, **weights.pack(replace(blank, layers=layers))})

        layers = self._fit(blank, lambda layers: len(pack(container(layers)))) if tree.tensors else ()
        final = container(layers)
        try:
            decoded = samples(unpack(pack(final)))
        except CorruptStreamError as error:  # never promise what the decoder does not keep
            raise TrainingError(f"the stream does not decode: {error}") from error
        quality = _quality(measure(self.source, decoded))
        return pack(Container(header, {**final.sections, Section.QUALITY: quality}))

    def _blank(self, tree: Tree) -> Model:
        """The model but for its layers."""
        source, dtype = self.source, self.source.values.dtype
        constant = np.ones(math.prod(tree.partition.leaf_grid), bool)
        constant[tree.leaves] = False
        blocks = tree.partition.to_blocks(source.filled)[constant]
        middle = blocks.shape[1] // 2
        mean = math.ldexp(float(source.volume.mean()), source.exponent)
        low, high = source.low.item(), source.high.item()
        offset = dtype.type(min(max(mean if dtype.kind == "f" else round(mean), low), high))
        constants = np.partition(blocks, middle, axis=1)[:, middle]
        return Model(tree, (), dtype, offset, source.low, source.high, constants)

    def _fit(self, blank: Model, size: Callable[[tuple[Layer, ...]], int]) -> tuple[Layer, ...]:
        try:
            from tinc_codec.fit import device, training
            from tinc_codec.fit.samples import samples as training_samples
        except ImportError as error:
            raise MissingDependencyError("encoding needs torch: pip install 'tinc-codec[torch]'") from error
        tree, source = blank.tree, self.source
        points = training.points(tree, process().batch)
        with device.training(points * len(tree.leaves), self.report.check) as place:
            offset = math.ldexp(float(blank.offset), -source.exponent)
            prepared = training_samples(tree, source.volume, source.modelled, offset, place)
            prepared.gain, prepared.shift = (
                math.ldexp(value, source.exponent) for value in (prepared.gain, prepared.shift)
            )
            recipe = training.Recipe(training.STEPS[self.config.effort], points, training.learning_rate(tree))
            problem = training.Problem(tree, prepared, self.budget, size)
            fitted = training.fit(problem, recipe, self.config.seed, self.report)
        log.debug("fitted %d parameters in %d steps: %s", tree.parameters, fitted.steps, fitted.reason)
        return fitted.layers


def measure(source: Source, decoded: NDArray[Any]) -> Quality:
    """Compare with the original, over the samples that are for the model."""
    original, decoded = source.known(source.values), source.known(decoded.reshape(source.values.shape))
    rmse, largest = metrics.rmse(original, decoded), metrics.max_error(original, decoded)
    return Quality(rmse, largest, float(source.low), float(source.high))


def _quality(quality: Quality) -> bytes:
    out = Writer()
    for value in (quality.rmse, quality.max_error, quality.low, quality.high):
        out.number("d", value)
    return out.bytes()
