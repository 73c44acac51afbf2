"""Fit sine layers on top of which coefficients are coded: for the bits of both, not for the error of the layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.detail.estimate import MOST
from tinc_codec.detail.plan import Plan
from tinc_codec.detail.scale import Scale
from tinc_codec.encoding.fit import network
from tinc_codec.encoding.fit.cost import cost
from tinc_codec.encoding.fit.optimiser import Optimiser, schedule
from tinc_codec.encoding.fit.packet import Packet
from tinc_codec.encoding.fit.quantisation import laplace_bits, laplace_scales, rounded, to_layers, with_noise
from tinc_codec.encoding.fit.windows import Windows
from tinc_codec.errors import TrainingError
from tinc_codec.tree.model import Layer
from tinc_codec.tree.structure import Tree

RATE = 3e-2
"""Adam's rate at its peak."""

_CHECK = 10
"""Steps between looks at the device: divergence, progress."""

_MEASURED = 8
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
        Bits that must be saved for each of the network's own after half of the steps: training ends there otherwise.
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
        Of the chunk, on the device that trains.
    plan, scale
        With what coefficients are coded.
    offset
        What the model adds to its output.
    """

    tree: Tree
    windows: Windows
    plan: Plan
    scale: Scale
    offset: float


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


def fit(problem: Problem, recipe: Recipe, seed: int, watch: Callable[[float], None]) -> Fit:
    """Train the networks of a tree for what coefficients of the rest, and their own weights, cost.

    Parameters
    ----------
    seed
        Seed of the weights and the sampling.
    watch
        Called with the fraction done every few steps; what it raises stops the training.

    Raises
    ------
    TrainingError
        Training diverged, or its result cannot be stored.
    """
    trainer = _Trainer(problem, recipe, seed)
    for step in range(recipe.steps):
        trainer.step(step)
        if step % _CHECK == 0:
            watch(step / recipe.steps)
        if step + 1 == recipe.steps // 2 and recipe.fine:
            half = trainer.result(step + 1)
            if half.saved <= recipe.worth * half.own:
                return half
    return trainer.result(recipe.steps)


class _Trainer:
    """One training; all of its state is here."""

    def __init__(self, problem: Problem, recipe: Recipe, seed: int) -> None:
        self.problem, self.recipe, windows = problem, recipe, problem.windows
        self.generator = torch.Generator().manual_seed(seed)
        coarse = windows.coarse(recipe.voxels)
        self.stages = [(each, each.packet(problem.plan, problem.scale)) for each in (coarse, windows)]
        device = windows.leaves.device
        self.noise = torch.Generator(device=device).manual_seed(seed)
        self.index = network.index(problem.tree, device)
        theta = network.initial(problem.tree, windows.means.cpu(), self.generator).to(device)
        steps = network.initial_steps(self.index, theta)
        self.theta, self.steps = theta.requires_grad_(), steps.requires_grad_()
        self.optimiser = Optimiser([self.theta, self.steps])

    def step(self, number: int) -> None:
        """One step of the optimiser."""
        recipe, progress = self.recipe, number / self.recipe.steps
        step = torch.exp(self.steps)[self.index.kinds]
        q = self.theta / step
        q = rounded(q) if progress >= recipe.rounding else with_noise(q, self.noise)
        windows, packet = self.stages[number >= recipe.coarse]
        coordinates, samples = windows.draw(self.generator)
        rest = samples - self._evaluate(q * step, coordinates, samples)
        if number < recipe.coarse * recipe.fitting:
            loss = (rest * rest).mean()
        else:
            begin, end = recipe.pricing
            price = min(max(0.0, (progress - begin) / (end - begin)), 1.0)
            loss = windows.share * _bits(packet, rest, MOST) + price * self._own(q)
        self.optimiser.step(loss, RATE * schedule(progress, recipe.steps, recipe.warm_up, recipe.last_rate))

    def _evaluate(self, theta: Array, coordinates: Array, samples: Array) -> Array:
        return network.evaluate(self.problem.tree, self.index, theta, coordinates).reshape(samples.shape)

    def _own(self, q: Array) -> Array:
        return laplace_bits(q, laplace_scales(q, self.index)[self.index.kinds]).sum()

    def result(self, taken: int) -> Fit:
        """The integers after so many steps, and what they save and take."""
        theta, steps = (each.detach().cpu().double().numpy() for each in (self.theta, self.steps.exp()))
        if not (np.isfinite(theta).all() and np.isfinite(steps).all()):
            raise TrainingError("training under coefficients diverged")
        windows, tree = self.problem.windows, self.problem.tree
        try:
            layers = to_layers(tree, self.index, theta, steps, windows.gain, windows.mean - self.problem.offset)
        except FloatingPointError as error:
            raise TrainingError(f"what was trained under coefficients cannot be stored: {error}") from error
        with torch.no_grad():
            step = torch.exp(self.steps)[self.index.kinds]
            q = torch.round(self.theta / step)
            return Fit(layers, self._saved(q * step), float(self._own(q)), taken)

    def _saved(self, theta: Array) -> float:
        """Bits that coefficients take less, from some windows of the last stage."""
        windows, packet = self.stages[self.recipe.fine > 0]
        count = min(_MEASURED, math.ceil(windows.share))
        saved = 0.0
        for _ in range(count):
            coordinates, samples = windows.draw(self.generator)
            rest = samples - self._evaluate(theta, coordinates, samples)
            saved += float(_bits(packet, samples) - _bits(packet, rest))
        return saved * windows.share / count


def _bits(packet: Packet, windows: Array, most: float = math.inf) -> Array:
    return torch.stack([cost(band, most) for band in packet.coefficients(windows)]).sum()
