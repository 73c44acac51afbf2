"""One training of networks that fit samples: its tensors and steps, for one chunk or several that are alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tinc_codec.encoding.fit import network
from tinc_codec.encoding.fit.execution import evaluator, quantiser, runner
from tinc_codec.encoding.fit.members import kind_of
from tinc_codec.encoding.fit.optimiser import Optimiser
from tinc_codec.encoding.fit.orthogonal import places
from tinc_codec.encoding.fit.quantisation import noise, to_layers
from tinc_codec.encoding.fit.rate import RateControl
from tinc_codec.encoding.fit.samples import Samples, Stack
from tinc_codec.tree.model import Layer
from tinc_codec.tree.structure import Tree

AIM = 0.98
"""Share of the budget that steering aims at."""

AFTERWARDS = 25
"""Steps of a chunk whose stream is not near its budget after the last one, at a time."""


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
        The optimiser's rate at its peak; it falls along a half cosine.
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


class DivergedError(Exception):
    """A chunk's training has diverged at this rate."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What to fit.

    Parameters
    ----------
    tree
        The tree; it has at least one leaf with a network.
    samples
        The chunk's leaves, on the CPU.
    budget
        Bytes that the model may take.
    measure
        Bytes that it takes with given layers.
    seed
        Of the weights and the sampling; an attempt that diverges is followed by one with the next seed.
    """

    tree: Tree
    samples: Samples
    budget: int
    measure: Callable[[tuple[Layer, ...]], int]
    seed: int

    @property
    def kind(self) -> Hashable:
        """What problems that are trained as one batch have in common."""
        return kind_of(self.tree), self.samples.weights is None


class Trainer:
    """One attempt on a device; tensors have the chunks along their first axis."""

    def __init__(self, problems: Sequence[Problem], recipe: Recipe, device: torch.device, retry: int) -> None:
        self.problems, self.recipe, self.tree = problems, recipe, problems[0].tree
        seeds = [problem.seed + retry for problem in problems]
        self.generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self.samples = Stack.of([problem.samples for problem in problems], device)
        self.index = network.index(self.tree, device, len(problems))
        starts = [torch.Generator().manual_seed(seed) for seed in seeds]
        pairs = zip(problems, starts, strict=True)
        theta = [network.initial(self.tree, problem.samples.means, start) for problem, start in pairs]
        first = torch.stack(theta).to(device)
        steps = network.initial_steps(self.index, first)
        self.theta, self.steps = first.requires_grad_(), steps.requires_grad_()
        self.optimiser = Optimiser([self.theta, self.steps], places(self.tree, self.index), recipe.betas)
        targets = [problem.budget * 8 * AIM for problem in problems]
        self.control = RateControl(targets, self.theta.shape[1], recipe.steps, device)
        self.bits = torch.zeros(len(problems), device=device, dtype=torch.float32)
        self.quantise, self.evaluate = quantiser(self.index), evaluator(self.tree, self.index)
        self.run_step = runner(self.tree, self._work, self.generators, device)

    def step(self, progress: float, rate: float, final: bool) -> None:
        """One step; `final` ones round the weights."""
        self.optimiser.rate.fill_(self.recipe.learning_rate * rate)
        self.control.proceed(progress)
        self.run_step(final)

    def train_on(self) -> None:
        """A few steps at a low rate."""
        for _ in range(AFTERWARDS):
            self.step(1.0, 4 * self.recipe.last_rate, True)

    def _work(self, final: bool) -> None:
        """A step, from numbers that lie in tensors to others: the same whether it runs or is recorded."""
        disturbed = None if final else noise(self.theta.shape[1], self.generators)
        thetas, bits = self.quantise(self.theta, self.steps, disturbed)
        coordinates, targets, weights = self.samples.draw(self.recipe.points, self.generators)
        error = self.evaluate(thetas, coordinates) - targets
        squares = error * error if weights is None else weights * error * error
        distortion = squares.flatten(1).mean(1)
        self.bits.copy_(bits.detach())
        weight = self.control.weight(distortion.detach(), self.bits)
        self.optimiser.step((distortion + weight * bits).sum())

    def calibrate(self, number: int) -> None:
        """Make a chunk's target one for the estimate: what the true stream takes beyond it is overhead."""
        _, size = self.export(number)
        self.control.aim(number, self.problems[number].budget * 8 * AIM - (size * 8 - float(self.bits[number])))

    def correct(self, number: int, size: int) -> None:
        """Scale a chunk's quantisation steps by what its stream has too much or too little."""
        missing = 8 * (AIM * self.problems[number].budget - size) / self.theta.shape[1]  # bits for each parameter
        with torch.no_grad():
            self.steps[number] -= math.log(2) * min(max(missing, -1.0), 1.0)
        self.calibrate(number)

    def export(self, number: int) -> tuple[tuple[Layer, ...], int]:
        """A chunk's integers, and the bytes that they take."""
        problem = self.problems[number]
        theta, steps = (each.detach()[number].cpu().double().numpy() for each in (self.theta, self.steps.exp()))
        if not np.isfinite(theta).all() or not np.isfinite(steps).all():
            raise DivergedError
        try:
            layers = to_layers(self.tree, self.index, theta, steps, problem.samples.gain, problem.samples.shift)
        except FloatingPointError as error:
            raise DivergedError from error
        return layers, problem.measure(layers)
