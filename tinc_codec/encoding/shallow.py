"""The tree's shallow levels under coefficients: sine layers that are trained for what coefficients of the rest cost."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.predictors.detail import DetailPredictor
from tinc_codec.detail.plan import Plan
from tinc_codec.detail.scale import Scale
from tinc_codec.encoding import networks
from tinc_codec.encoding.allocation import allocate
from tinc_codec.encoding.networks import Training
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.tree_model import packed, unfitted
from tinc_codec.encoding.verified import Verified
from tinc_codec.errors import TrainingError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.runtime.settings import process
from tinc_codec.stream.container import Section, unpack
from tinc_codec.stream.limits import Expected
from tinc_codec.tree.partition import partition
from tinc_codec.tree.structure import Level, Tree

log = logging.getLogger("tinc_codec")

LAYERS = 5
"""Sine layers of a root that is the only level: with fewer there are no surfaces that are curved and sharp."""


@dataclass(frozen=True, eq=False)
class Shallow:
    """A chunk's shallow levels.

    Parameters
    ----------
    chunk
        The chunk.
    plan, scale
        What coefficients alone are coded with: its steps are what bits are worth.
    report
        Told of the training, and asked whether to go on.
    """

    chunk: PreparedChunk
    plan: Plan
    scale: Scale
    report: TrainingProgress

    @classmethod
    def under(cls, alone: Verified, report: TrainingProgress) -> Shallow:
        """Those under the coefficients of a stream that has nothing else."""
        predictor = Chunk.of(alone.stream, Expected(alone.chunk.header.raw_bytes)).predictor
        assert isinstance(predictor, DetailPredictor)
        parameters = predictor.detail.parameters
        return cls(alone.chunk, parameters.plan, parameters.scale, report)

    def trained(self) -> dict[int, bytes] | None:
        """Sections of the training of the chunk's effort; None: it does not save enough, by its own estimate.

        Raises
        ------
        TrainingError
            A training diverged, or its result cannot be stored.
        """
        effort, report = self.chunk.config.effort, self.report
        probe = self._fit(networks.PROBE, report.part(0.0, networks.PROBED), networks.FORETELLING)
        if probe is None and effort < networks.PATIENT:
            return None
        return self._fit(networks.LADDER[effort], report.part(networks.PROBED, 1.0), networks.PROMISING)

    def _fit(self, training: Training, report: TrainingProgress, worth: float) -> dict[int, bytes] | None:
        """The sections of a training; None: it saves less than so many bits for each of its own, or has no tree."""
        from tinc_codec.encoding.fit import together, under_coefficients
        from tinc_codec.encoding.fit.windows import Windows

        tree = self._tree(training.width)
        if tree is None:
            return None
        blank, seed = unfitted(self.chunk, tree), self.chunk.config.seed
        voxels = min(networks.WINDOW, process().batch)
        windows = Windows.of(tree, self._volume, voxels).times_power(self.chunk.exponent)
        problem = under_coefficients.Problem(tree, windows, self.plan, self.scale, float(blank.offset), seed)
        recipe = under_coefficients.Recipe(training.coarse, training.fine, worth=networks.HALFWAY)
        fitted = together.fit(problem, recipe, report, report.check)
        log.debug("%d steps save %.0f bits by %.0f of their own", fitted.steps, fitted.saved, fitted.own)
        return packed(blank, fitted.layers) if fitted.saved > worth * fitted.own else None

    @lazy
    def _volume(self) -> NDArray[np.float64]:
        """The samples over 2^exponent, continued smoothly into the places that are stored exactly."""
        return np.asarray(np.ldexp(self.chunk.smooth, -self.chunk.exponent))

    def _tree(self, width: int) -> Tree | None:
        """A root of this width, or the tree that the settings ask for with as many parameters; None: there is none."""
        shape, config = self.chunk.values.shape, self.chunk.config
        root = Tree(partition(shape, 1), (Level(LAYERS, (width,), np.ones(1, np.uint8)),))
        if config.levels in ("auto", 1):
            return root
        if config.threshold is not None:  # allocation sees the scaled samples
            config = replace(config, threshold=math.ldexp(config.threshold, -self.chunk.exponent))
        allocation = allocate(self.chunk.volume, root.parameters, config)
        return None if allocation is None or not allocation.tree.tensors else allocation.tree


def tried(alone: Verified, report: TrainingProgress) -> dict[int, bytes] | None:
    """Sections of shallow levels that may pay under the coefficients of a stream; None: there are none.

    Parameters
    ----------
    alone
        With coefficients; there are none where something else predicts or corrects its samples.
    report
        Told of the training, and asked whether to go on.
    """
    sections = unpack(alone.stream).sections
    only = Section.DETAIL in sections and not {Section.TREE, Section.RESIDUAL} & sections.keys()
    if not only or not alone.quality.rmse or not networks.worth_a_probe(alone.chunk.config):
        return None
    try:
        return Shallow.under(alone, report).trained()
    except TrainingError as error:  # what nobody asked for may fail: there are the coefficients
        log.info("networks are given up: %s", error)
        return None
