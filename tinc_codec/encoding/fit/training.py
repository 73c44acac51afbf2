"""Fit a tree of networks to a chunk: Adam over one flat vector, quantisation-aware, at a steered rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from tinc_codec.encoding.fit import network
from tinc_codec.encoding.fit.execution import evaluator, runner
from tinc_codec.encoding.fit.optimiser import Optimiser, schedule
from tinc_codec.encoding.fit.quantisation import own_bits, rounded, to_layers, with_noise
from tinc_codec.encoding.fit.rate import RateControl
from tinc_codec.encoding.fit.samples import Samples
from tinc_codec.errors import TrainingError
from tinc_codec.tree.model import Layer
from tinc_codec.tree.structure import Tree

STEPS = {1: 250, 2: 500, 3: 1000, 4: 2000, 5: 4000, 6: 6000, 7: 10000, 8: 16000, 9: 30000}
"""Steps of each effort."""

_AIM, _USED = 0.98, 0.94
"""Share of the budget that steering aims at, and the least that it is content with."""

CORRECTIONS = 24
"""Most rounds of `_CHECK` steps after the last one, until the stream fits."""

VOXELS, POINTS = 2**14, 512
"""Voxels of one step, and the least local coordinates, where the chunk and the process's limit have them."""

RATE = 3e-2
"""Adam's rate for a tree of 4 layers of 64; a width's and a depth's optimum is flat over a factor of 1.5."""

_CHECK = 25
"""Steps between looks at the device: divergence, progress."""

_PATIENCE = 0.3
"""Seconds after which progress is told, and the wish to stop heard, even if steps are slow."""


@dataclass(frozen=True)
class Recipe:
    """Constants of the training, which differ only in studies.

    Parameters
    ----------
    steps
        Number of steps.
    points
        Local coordinates that one step draws, shared by all leaves.
    learning_rate
        Adam's rate at its peak; it falls along a half cosine.
    rounding
        Fraction of the steps after which weights are rounded instead of disturbed.
    """

    steps: int
    points: int
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.95)
    rounding: float = 0.7
    warm_up: float = 0.02
    last_rate: float = 0.02
    retries: int = 4


def learning_rate(tree: Tree) -> float:
    """Adam's rate at its peak: what suits 4 layers of 64, and less for deeper and wider trees."""
    depth = sum(level.layers for level in tree.levels)
    width = max(max(level.widths, default=1) for level in tree.levels)
    return RATE * math.sqrt(min(1, 4 / depth) * min(1, 64 / width))


def points(tree: Tree, limit: int) -> int:
    """Local coordinates for one step, which must not have more than `limit` voxels."""
    leaves = len(tree.leaves)
    wanted = min(max(POINTS, VOXELS // leaves), max(16, limit // leaves))
    return min(wanted, math.prod(tree.partition.leaf_shape))


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted tree.

    Parameters
    ----------
    layers
        The integers of every tensor of the tree.
    size
        What `measure` said of them, in bytes.
    steps, retries
        Steps taken in the attempt that counts, and attempts that diverged before it.
    reason
        Why training stopped: ``"budget met"`` or ``"over budget"``.
    """

    layers: tuple[Layer, ...]
    size: int
    steps: int
    retries: int
    reason: str


class _DivergedError(Exception):
    pass


Watch = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Problem:
    """What to fit.

    Parameters
    ----------
    tree
        The tree; it has at least one leaf with a network.
    samples
        The chunk's leaves, on the device that trains.
    budget
        Bytes that the model may take.
    measure
        Bytes that it takes with given layers.
    """

    tree: Tree
    samples: Samples
    budget: int
    measure: Callable[[tuple[Layer, ...]], int]


def fit(problem: Problem, recipe: Recipe, seed: int, watch: Watch) -> Fit:
    """Train the networks of a tree so that they stay within a budget.

    Parameters
    ----------
    problem
        Tree, samples and budget.
    recipe
        Constants of the training.
    seed
        Seed of the weights and the sampling; an attempt that diverges is followed by one with the next seed.
    watch
        Called with the fraction done every few steps; what it raises stops the training.

    Raises
    ------
    TrainingError
        Training diverged at every rate that was tried.
    """
    for retry in range(recipe.retries + 1):
        try:
            trainer = _Trainer(problem, recipe, seed + retry)
            return replace(trainer.run(watch), retries=retry)
        except _DivergedError:
            recipe = replace(recipe, learning_rate=recipe.learning_rate / 2.5)
    raise TrainingError(
        f"training diverged {recipe.retries + 1} times, the last at learning rate {recipe.learning_rate * 2.5:.1e}"
    )


class _Trainer:
    """One attempt; all of its state is here."""

    def __init__(self, problem: Problem, recipe: Recipe, seed: int) -> None:
        self.tree, self.samples, self.recipe = problem.tree, problem.samples, recipe
        self.budget, self.measure = problem.budget, problem.measure
        device = self.samples.device
        self.generator = torch.Generator(device=device)
        self.generator.manual_seed(seed)
        start = torch.Generator()
        start.manual_seed(seed)
        self.index = network.index(self.tree, device)
        theta = network.initial(self.tree, self.samples.means.cpu(), start).to(device)[None]
        steps = network.initial_steps(self.index, theta)
        self.theta, self.steps = theta.requires_grad_(), steps.requires_grad_()
        self.optimiser = Optimiser([self.theta, self.steps], recipe.betas)
        self.control = RateControl(self.budget * 8 * _AIM, theta.numel(), recipe.steps, device)
        self.bits = torch.zeros((), device=device, dtype=torch.float32)
        self.evaluate = evaluator(self.tree, self.index)
        self.run_step = runner(self.tree, self._work, [self.generator], device)
        self.best = math.inf

    def run(self, watch: Watch) -> Fit:
        total, watched = self.recipe.steps, 0.0
        for step in range(total):
            progress = step / total
            rate = schedule(progress, self.recipe.steps, self.recipe.warm_up, self.recipe.last_rate)
            self._step(progress, rate, progress >= self.recipe.rounding)
            if step % _CHECK == 0:
                self._check_divergence(progress)
            if step % _CHECK == 0 or time.monotonic() > watched + _PATIENCE:
                watch(progress)
                watched = time.monotonic()
            if progress >= self.recipe.rounding and step % max(total // 20, 1) == 0:
                self._calibrate()
        layers, size = best = self._export()
        while not _USED * self.budget <= size <= self.budget and total < self.recipe.steps + CORRECTIONS * _CHECK:
            try:
                self._correct(size)
                layers, size = self._export()
            except _DivergedError:
                break  # what was exported before is sound
            best = max(best, (layers, size), key=lambda pair: (pair[1] <= self.budget, -abs(self.budget - pair[1])))
            total += _CHECK
            watch(1.0)
        layers, size = best
        return Fit(layers, size, total, 0, "budget met" if size <= self.budget else "over budget")

    def _step(self, progress: float, rate: float, final: bool) -> None:
        """One step; `final` ones round the weights."""
        self.optimiser.rate.fill_(self.recipe.learning_rate * rate)
        self.control.proceed(progress)
        self.run_step(final)

    def _work(self, final: bool) -> None:
        step = self.index.spread(torch.exp(self.steps))
        q = self.theta / step
        q = rounded(q) if final else with_noise(q, [self.generator])
        coordinates, targets, weights = self.samples.draw(self.recipe.points, self.generator)
        error = self.evaluate(q * step, coordinates[None])[0] - targets
        distortion = (error * error).mean() if weights is None else (weights * error * error).mean()
        bits = own_bits(q, self.index)[0]
        self.bits.copy_(bits.detach())
        weight = self.control.weight(distortion.detach(), self.bits)
        self.optimiser.step(distortion + weight * bits)

    def _check_divergence(self, progress: float) -> None:
        now = float(self.control.distortion)
        if not math.isfinite(now) or (progress > 0.1 and now > 4 * self.best and now > 0.05):
            raise _DivergedError
        self.best = min(self.best, now)

    def _calibrate(self) -> None:
        """Make the target one for the estimate: what the true stream takes beyond it is overhead."""
        _, size = self._export()
        self.control.aim(self.budget * 8 * _AIM - (size * 8 - float(self.bits)))

    def _correct(self, size: int) -> None:
        """Scale the quantisation steps by what the stream has too much or too little, and train on for a little."""
        missing = 8 * (_AIM * self.budget - size) / self.theta.numel()  # bits for each parameter
        with torch.no_grad():
            self.steps -= math.log(2) * min(max(missing, -1.0), 1.0)
        self._calibrate()
        for _ in range(_CHECK):
            self._step(1.0, 4 * self.recipe.last_rate, True)

    def _export(self) -> tuple[tuple[Layer, ...], int]:
        theta, steps = (each.detach().cpu().double().numpy()[0] for each in (self.theta, self.steps.exp()))
        if not np.isfinite(theta).all() or not np.isfinite(steps).all():
            raise _DivergedError
        try:
            layers = to_layers(self.tree, self.index, theta, steps, self.samples.gain, self.samples.shift)
        except FloatingPointError as error:
            raise _DivergedError from error
        return layers, self.measure(layers)
