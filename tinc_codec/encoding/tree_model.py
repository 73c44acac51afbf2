"""Model a chunk by sine layers: allocate a tree, fit it, and write its sections, within a number of bytes."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tinc_codec.config import Config
from tinc_codec.encoding.allocation import allocate
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.verified import size_of
from tinc_codec.errors import MissingDependencyError
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.runtime.settings import process
from tinc_codec.stream import model_section as weights
from tinc_codec.tree.model import Layer, Model, Parameters
from tinc_codec.tree.structure import Tree

log = logging.getLogger("tinc_codec")

BITS_PER_PARAMETER = 5.2
"""What a parameter costs where the budget is best spent between many parameters and fine ones."""

SMALLEST_TREE = 24
"""Parameters to try where the budget has no room for any: the smallest form there is."""

_ATTEMPTS = 3
"""Trees to try, each smaller, where a stream stays above its budget."""

_OVERHEAD = 40
"""Bytes that the sections take beside their weights, about."""


@dataclass(frozen=True, eq=False)
class Modelled:
    """A chunk's model.

    Parameters
    ----------
    sections
        Its sections.
    size
        Bytes that they take in a stream.
    """

    sections: dict[int, bytes]
    size: int


@dataclass(frozen=True, eq=False)
class Modelling:
    """One chunk's modelling.

    Parameters
    ----------
    chunk
        The chunk; it has samples that are for the model.
    room
        Bytes that the sections may take.
    config
        The settings, those of the chunk but for the effort.
    report
        Told of the training, and asked whether to go on.
    """

    chunk: PreparedChunk
    room: int
    config: Config
    report: TrainingProgress

    def run(self) -> Modelled | None:
        """The model: within the room or, where none is, the smallest of those tried; None where no tree fits.

        Raises
        ------
        TrainingError
            Training diverged at every rate, or its result cannot be stored.
        MissingDependencyError
            torch is not installed.
        """
        chunk, best = self.chunk, None
        config = self.config
        if config.threshold is not None:  # allocation sees the scaled samples
            config = replace(config, threshold=math.ldexp(config.threshold, -chunk.exponent))
        parameters = (self.room - _OVERHEAD) * 8 / BITS_PER_PARAMETER
        for _ in range(_ATTEMPTS):
            allocation = allocate(chunk.volume, max(SMALLEST_TREE, int(parameters)), config)
            if allocation is None:
                break
            tree = allocation.tree
            log.info("training %d parameters for a chunk of shape %s", tree.parameters, chunk.header.shape)
            log.debug("similarity %.2f: %s, %s", allocation.similarity, allocation.inter_level, allocation.intra_level)
            modelled = self._fitted(tree)
            best = modelled if best is None or modelled.size < best.size else best
            if best.size <= self.room or parameters <= SMALLEST_TREE:
                break
            parameters *= min(0.8, self.room / best.size)
        return best

    def _fitted(self, tree: Tree) -> Modelled:
        """Fit `tree` and write its sections."""
        blank = unfitted(self.chunk, tree)

        def size(layers: tuple[Layer, ...]) -> int:
            return size_of(packed(blank, layers))

        sections = packed(blank, self._fit(blank, size) if tree.tensors else ())
        return Modelled(sections, size_of(sections))

    def _fit(self, blank: Model, size: Callable[[tuple[Layer, ...]], int]) -> tuple[Layer, ...]:
        try:
            from tinc_codec.encoding.fit import together, training
            from tinc_codec.encoding.fit.samples import samples as training_samples
            from tinc_codec.encoding.fit.trainer import Problem, Recipe
        except ImportError as error:
            raise MissingDependencyError("networks need torch: pip install 'tinc-codec[torch]'") from error
        tree, chunk, report = blank.tree, self.chunk, self.report
        offset = math.ldexp(float(blank.offset), -chunk.exponent)
        prepared = training_samples(tree, chunk.volume, chunk.modelled, offset)
        prepared.gain, prepared.shift = (math.ldexp(value, chunk.exponent) for value in (prepared.gain, prepared.shift))
        points = training.points(tree, process().batch)
        recipe = Recipe(training.STEPS[self.config.effort], points, training.learning_rate(tree))
        problem = Problem(tree, prepared, self.room, size, self.config.seed)
        fitted = together.fit_samples(problem, recipe, report, report.check)
        log.debug("fitted %d parameters in %d steps: %s", tree.parameters, fitted.steps, fitted.reason)
        return fitted.layers


def unfitted(chunk: PreparedChunk, tree: Tree) -> Model:
    """The model of a chunk but for its parameters."""
    dtype = chunk.values.dtype
    constant = np.ones(math.prod(tree.partition.leaf_grid), bool)
    constant[tree.leaves] = False
    blocks = tree.partition.to_blocks(chunk.filled)[constant]
    middle = blocks.shape[1] // 2
    mean = math.ldexp(float(chunk.volume.mean()), chunk.exponent)
    low, high = chunk.low.item(), chunk.high.item()
    offset = dtype.type(min(max(mean if dtype.kind == "f" else round(mean), low), high))
    constants = np.partition(blocks, middle, axis=1)[:, middle]
    return Model(tree, Parameters.of(()), dtype, offset, chunk.low, chunk.high, constants)


def packed(blank: Model, layers: tuple[Layer, ...]) -> dict[int, bytes]:
    """The sections of a model that was fitted."""
    return weights.pack(replace(blank, parameters=Parameters.of(layers)))
