"""Fit sine layers on top of which coefficients are coded: for the bits of both, not for the error of the layers.

Chunks whose problems are alike are trained as one batch. Each has its own weights, seed and generators, so that what
becomes of it does not depend on the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.detail.estimate import MOST
from tinc_codec.detail.plan import Plan
from tinc_codec.detail.scale import Scale
from tinc_codec.encoding.fit import network
from tinc_codec.encoding.fit.execution import evaluator, quantiser, runner
from tinc_codec.encoding.fit.members import Member, Outcomes, kind_of
from tinc_codec.encoding.fit.optimiser import Optimiser, schedule
from tinc_codec.encoding.fit.orthogonal import places
from tinc_codec.encoding.fit.quantisation import noise, to_layers
from tinc_codec.encoding.fit.stage import Stage
from tinc_codec.encoding.fit.windows import Windows
from tinc_codec.errors import TrainingError
from tinc_codec.tree.model import Layer
from tinc_codec.tree.structure import Tree

RATE = 2e-2
"""The optimiser's rate at its peak, where a step sees enough of the chunk and there are `_SHORT` steps."""

_SHORT = 1000
"""With more steps the rate falls with the fourth root of their number: 1.5e-2 suits 3,500."""

_SEEN = 8
"""Windows of a chunk, one of which is enough. Where there are more, steps forget what they do not see, and the rate
falls with the square root of their number: at 64 windows Adam gained 0.40 dB at a third of the rate for 0.29."""

_CHECK = 10
"""Steps between looks at the device: divergence, progress."""

_MEASURED = 64
"""Windows that savings are measured on, at most."""


@dataclass(frozen=True)
class Recipe:
    """Constants of the training, which differ only in studies.

    Parameters
    ----------
    coarse, fine
        Steps on means over cells, all of them in each step, and then on windows of the samples.
    voxels
        Of the coarse steps.
    fitting
        Part of the coarse steps that fit samples by squared error, since what bits cost is flat far from the samples.
    pricing
        Parts of all steps between which the network's own bits begin to count.
    rounding
        Part of all steps after which weights are rounded instead of disturbed.
    worth
        Bits that must be saved for each of the network's own after half of the fine steps: else training ends there.
    """

    coarse: int
    fine: int
    voxels: int = 2**12
    fitting: float = 0.2
    pricing: tuple[float, float] = (0.4, 0.7)
    rounding: float = 0.8
    warm_up: float = 0.03
    last_rate: float = 0.02
    worth: float = -math.inf

    @property
    def steps(self) -> int:
        """All steps."""
        return self.coarse + self.fine


@dataclass(frozen=True, eq=False)
class Problem:
    """What to fit.

    Parameters
    ----------
    tree
        The tree; it has at least one leaf with a network.
    windows
        Of the chunk.
    plan, scale
        With what coefficients are coded.
    offset
        What the model adds to its output.
    seed
        Of the weights and the sampling.
    """

    tree: Tree
    windows: Windows
    plan: Plan
    scale: Scale
    offset: float
    seed: int

    @property
    def kind(self) -> tuple[Any, ...]:
        """What problems that are trained as one batch have in common."""
        return kind_of(self.tree), self.windows.shape, self.plan


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted tree.

    Parameters
    ----------
    layers
        The integers of every tensor.
    saved
        Bits that coefficients take less, about.
    own
        Bits that the weights take, about.
    steps
        That were taken.
    """

    layers: tuple[Layer, ...]
    saved: float
    own: float
    steps: int


Outcome = Fit | BaseException
"""What becomes of a chunk: a `TrainingError` where training diverged or its result cannot be stored, or what its watch
raised."""


def fit(members: Sequence[Member[Problem]], recipe: Recipe, device: torch.device) -> list[Outcome]:
    """Train the networks of trees for what coefficients of the rest, and their own weights, cost.

    Parameters
    ----------
    members
        Chunks with problems of one kind.
    device
        Where to train.

    Returns
    -------
    list
        An outcome for each member.
    """
    trainer = _Trainer([member.problem for member in members], recipe, device)
    outcomes = Outcomes[Fit]([member.watch for member in members])
    for step in range(recipe.steps):
        trainer.step(step)
        if step % _CHECK == 0:
            trainer.wait()
            outcomes.watch(step / recipe.steps)
        if step + 1 == recipe.coarse + recipe.fine // 2 < recipe.steps:
            _settle(outcomes, trainer.results(step + 1), recipe.worth)
        if not outcomes.open:
            return outcomes.all
    _settle(outcomes, trainer.results(recipe.steps), None)
    return outcomes.all


def _settle(outcomes: Outcomes[Fit], results: Sequence[Fit | TrainingError], worth: float | None) -> None:
    """Keep errors, and fits that do not save more than `worth` bits for each of their own; None: keep all."""
    for number, result in enumerate(results):
        if worth is None or isinstance(result, TrainingError) or result.saved <= worth * result.own:
            outcomes.end(number, result)


class _Phase(NamedTuple):
    """What steps have in common that differ by numbers alone."""

    fine: bool
    fitting: bool
    rounding: bool


class _Trainer:
    """One training; all of its state is here. Tensors have the chunks along their first axis."""

    def __init__(self, problems: Sequence[Problem], recipe: Recipe, device: torch.device) -> None:
        self.problems, self.recipe, self.tree = problems, recipe, problems[0].tree
        self.generators = [torch.Generator().manual_seed(problem.seed) for problem in problems]
        self.noises = [torch.Generator(device).manual_seed(problem.seed) for problem in problems]
        plan, scales = problems[0].plan, [problem.scale for problem in problems]
        windows = [problem.windows for problem in problems]
        coarse = [each.coarse(recipe.voxels) for each in windows]
        self.stages = [Stage.of(each, plan, scales, device) for each in (coarse, windows)]
        self.index = network.index(self.tree, device, len(problems))
        starts = zip(windows, self.generators, strict=True)
        theta = torch.stack([network.initial(self.tree, each.means, generator) for each, generator in starts]).to(
            device
        )
        steps = network.initial_steps(self.index, theta)
        self.theta, self.steps = theta.requires_grad_(), steps.requires_grad_()
        self.optimiser = Optimiser([self.theta, self.steps], places(self.tree, self.index))
        self.price = torch.zeros((), device=device)
        self.places = torch.zeros(len(problems), dtype=torch.int64, device=device)
        self.quantise, self.evaluate = quantiser(self.index), evaluator(self.tree, self.index)
        self.run_step = runner(self.tree, self._work, self.noises, device)

    def step(self, number: int) -> None:
        """One step of the optimiser."""
        recipe, progress = self.recipe, number / self.recipe.steps
        begin, end = recipe.pricing
        phase = _Phase(number >= recipe.coarse, number < recipe.coarse * recipe.fitting, progress >= recipe.rounding)
        self.price.fill_(min(max(0.0, (progress - begin) / (end - begin)), 1.0))
        stage = self.stages[phase.fine]
        rate = RATE * min(1, _SHORT / recipe.steps) ** 0.25 * math.sqrt(min(1, _SEEN / stage.share))
        self.optimiser.rate.fill_(rate * schedule(progress, recipe.steps, recipe.warm_up, recipe.last_rate))
        self._draw(stage)
        self.run_step(phase)

    def wait(self) -> None:
        """Until the device has done the steps so far: else a host that runs ahead hears too late that it is to stop."""
        if self.theta.device.type == "cuda":
            torch.cuda.current_stream(self.theta.device).synchronize()

    def _draw(self, stage: Stage) -> None:
        self.places.copy_(torch.tensor([stage.place(generator) for generator in self.generators]))

    def _work(self, phase: _Phase) -> None:
        """A step, from numbers that lie in tensors to others: the same whether it runs or is recorded."""
        disturbed = None if phase.rounding else noise(self.theta.shape[1], self.noises)
        weights, own = self.quantise(self.theta, self.steps, disturbed)
        stage = self.stages[phase.fine]
        coordinates, samples = stage.cut(self.places)
        rest = samples - self.evaluate(weights, coordinates).reshape(samples.shape)
        if phase.fitting:
            loss = (rest * rest).flatten(1).mean(1)
        else:
            loss = stage.share * stage.bits(rest, MOST) + self.price * own
        self.optimiser.step(loss.sum())

    def results(self, taken: int) -> list[Fit | TrainingError]:
        """The integers of each chunk after so many steps, and what they save and take."""
        with torch.no_grad():
            weights, bits = self.quantise(self.theta, self.steps, None)
            saved, own = self._saved(weights), bits.tolist()
        theta, steps = (each.detach().cpu().double().numpy() for each in (self.theta, self.steps.exp()))
        rows = zip(self.problems, theta, steps, saved, own, strict=True)
        return [self._result(*row, taken) for row in rows]

    def _result(
        self, problem: Problem, theta: Any, steps: Any, saved: float, own: float, taken: int
    ) -> Fit | TrainingError:
        if not (np.isfinite(theta).all() and np.isfinite(steps).all()):
            return TrainingError("training under coefficients diverged")
        gain, shift = problem.windows.gain, problem.windows.mean - problem.offset
        try:
            return Fit(to_layers(self.tree, self.index, theta, steps, gain, shift), saved, own, taken)
        except FloatingPointError as error:
            return TrainingError(f"what was trained under coefficients cannot be stored: {error}")

    def _saved(self, theta: Array) -> list[float]:
        """Bits that coefficients of each chunk take less, from windows that hold all of it, or many of them."""
        stage = self.stages[self.recipe.fine > 0]
        tiles = [stage.tiles(generator, _MEASURED) for generator in self.generators]
        saved = torch.zeros(len(self.problems), dtype=torch.float64)
        for tile in zip(*tiles, strict=True):
            self.places.copy_(torch.tensor(tile))
            coordinates, samples = stage.cut(self.places)
            rest = samples - self.evaluate(theta, coordinates).reshape(samples.shape)
            saved += (stage.bits(samples) - stage.bits(rest)).double().cpu()
        return (saved * stage.share / len(tiles[0])).tolist()
