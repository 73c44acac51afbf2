"""Fit trees of networks to chunks: steps over flat vectors, quantisation-aware, at a steered rate.

Chunks whose problems are alike are trained as one batch. Each has its own weights, seed, generator and target, so that
what becomes of it does not depend on the others; how many there are, and its place among them, tell in roundings only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from tinc_codec.encoding.fit.members import Member, Outcomes
from tinc_codec.encoding.fit.optimiser import schedule
from tinc_codec.encoding.fit.trainer import AFTERWARDS, DivergedError, Problem, Recipe, Trainer
from tinc_codec.errors import TrainingError
from tinc_codec.tree.model import Layer
from tinc_codec.tree.structure import Tree

STEPS = {1: 250, 2: 500, 3: 1000, 4: 2000, 5: 4000, 6: 6000, 7: 10000, 8: 16000, 9: 30000}
"""Steps of each effort."""

_USED = 0.94
"""Least share of the budget that a training is content with."""

CORRECTIONS = 24
"""Most rounds of `AFTERWARDS` steps after the last one, until the stream fits."""

VOXELS, POINTS = 2**14, 512
"""Voxels of one step, and the least local coordinates, where the chunk and the process's limit have them."""

RATE = 2e-2
"""The optimiser's rate for a tree of 4 layers of 64; a width's and a depth's optimum is flat over a factor of 1.5."""

_CHECK = 25
"""Steps between looks at the device: divergence, progress."""

_PATIENCE = 0.3
"""Seconds after which progress is told, and the wish to stop heard, even if steps are slow."""


def learning_rate(tree: Tree) -> float:
    """The optimiser's rate at its peak: what suits 4 layers of 64, and less for deeper and wider trees."""
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


Outcome = Fit | BaseException
"""What becomes of a chunk: a `TrainingError` where training diverged at every rate, or what its watch raised."""


def fit(members: Sequence[Member[Problem]], recipe: Recipe, device: torch.device) -> list[Outcome]:
    """Train the networks of trees so that they stay within their budgets.

    Parameters
    ----------
    members
        Chunks with problems of one kind.
    recipe
        Constants of the training; those that diverge are trained again, at a lower rate.
    device
        Where to train.

    Returns
    -------
    list
        An outcome for each member.
    """
    outcomes = _Attempt(members, recipe, device, 0).run()
    pairs = zip(members, outcomes, strict=True)
    return [_again(member, recipe, device) if isinstance(end, DivergedError) else end for member, end in pairs]


def _again(member: Member[Problem], recipe: Recipe, device: torch.device) -> Outcome:
    """The outcome of a chunk whose training has diverged, alone at ever lower rates: who else did plays no part."""
    for retry in range(1, recipe.retries + 1):
        recipe = replace(recipe, learning_rate=recipe.learning_rate / 2.5)
        (outcome,) = _Attempt([member], recipe, device, retry).run()
        if not isinstance(outcome, DivergedError):
            return replace(outcome, retries=retry) if isinstance(outcome, Fit) else outcome
    return TrainingError(
        f"training diverged {recipe.retries + 1} times, the last at learning rate {recipe.learning_rate:.1e}"
    )


class _Attempt:
    """Members on their way through one training: which of them are still in it, and their best streams."""

    def __init__(self, members: Sequence[Member[Problem]], recipe: Recipe, device: torch.device, retry: int) -> None:
        self._problems, self._recipe = [member.problem for member in members], recipe
        self._trainer = Trainer(self._problems, recipe, device, retry)
        self._outcomes = Outcomes[Fit]([member.watch for member in members])
        self._lowest = [math.inf] * len(members)
        self._last: dict[int, Fit] = {}
        self._best: dict[int, Fit] = {}

    def run(self) -> list[Outcome]:
        """An outcome for each member; a `DivergedError` where it is to be tried again."""
        total, watched = self._recipe.steps, 0.0
        for step in range(total):
            progress = step / total
            rate = schedule(progress, total, self._recipe.warm_up, self._recipe.last_rate)
            self._trainer.step(progress, rate, progress >= self._recipe.rounding)
            if step % _CHECK == 0:
                self._check_divergence(progress)
            if step % _CHECK == 0 or time.monotonic() > watched + _PATIENCE:
                self._outcomes.watch(progress)
                watched = time.monotonic()
            if progress >= self._recipe.rounding and step % max(total // 20, 1) == 0:
                self._calibrate()
            if not self._outcomes.open:
                return self._outcomes.all
        self._meet_budgets()
        return self._outcomes.all

    def _calibrate(self) -> None:
        for number in self._outcomes.open:
            try:
                self._trainer.calibrate(number)
            except DivergedError as error:
                self._outcomes.end(number, error)

    def _check_divergence(self, progress: float) -> None:
        distortions = self._trainer.control.distortion.tolist()
        for number in self._outcomes.open:
            now = distortions[number]
            if not math.isfinite(now) or (progress > 0.1 and now > 4 * self._lowest[number] and now > 0.05):
                self._outcomes.end(number, DivergedError())
            self._lowest[number] = min(self._lowest[number], now)

    def _meet_budgets(self) -> None:
        """Train those on whose streams are not near their budgets, for a little at a time."""
        for number in self._outcomes.open:
            self._measure(number, self._recipe.steps)
        for correction in range(1, CORRECTIONS + 1):
            for number in self._outcomes.open:
                self._correct(number)
            if not self._outcomes.open:
                return
            self._trainer.train_on()
            for number in self._outcomes.open:
                self._measure(number, self._recipe.steps + correction * AFTERWARDS)
            self._outcomes.watch(1.0)
        for number in self._outcomes.open:
            self._end(number)

    def _measure(self, number: int, taken: int) -> None:
        """Look at a member's stream after so many steps; its training ends where that is near the budget."""
        try:
            layers, size = self._trainer.export(number)
        except DivergedError as error:
            self._end(number, error)
            return
        budget = self._problems[number].budget
        now = self._last[number] = Fit(layers, size, taken, 0, "budget met" if size <= budget else "over budget")
        best = self._best.get(number, now)
        self._best[number] = max(best, now, key=lambda each: (each.size <= budget, -abs(budget - each.size)))
        if _USED * budget <= size <= budget:
            self._end(number)

    def _correct(self, number: int) -> None:
        try:
            self._trainer.correct(number, self._last[number].size)
        except DivergedError as error:
            self._end(number, error)

    def _end(self, number: int, error: DivergedError | None = None) -> None:
        """Keep a member's best stream, which is sound whatever diverged after it; the error where there is none."""
        best = self._best.get(number)
        if best is not None:
            self._outcomes.end(number, replace(best, steps=self._last[number].steps))
        elif error is not None:
            self._outcomes.end(number, error)
