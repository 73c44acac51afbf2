"""What a section is encoded for: a budget of bytes, an error, or a step; and the search for the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.defaults import DEFAULT_WEIGHTS
from tinc_codec.detail.encoding import Coefficients, Trial, attempt
from tinc_codec.errors import ConfigurationError


@dataclass(frozen=True)
class Budget:
    """At most so many bytes, and nearly all of them used."""

    size: int


@dataclass(frozen=True)
class Error:
    """A root mean squared error that is reached, and not undercut by much."""

    rms: float


@dataclass(frozen=True)
class Step:
    """A quantisation step, in samples."""

    size: float


Goal = Budget | Error | Step

_LEAST_USED = 0.985
_AIM = 0.995
_MOST_TRIALS = 14
_WITHIN = 10 ** (-0.05 / 20)
_AIM_ERROR = 10 ** (-0.02 / 20)
_FITTED_FROM = 2500
"""Bytes of a section from which fitted weights pay for themselves."""


class Search:
    """Trials of one volume, each with what the last ones taught."""

    def __init__(self, coefficients: Coefficients) -> None:
        self._coefficients = coefficients
        self._weights, self._deltas = DEFAULT_WEIGHTS, np.zeros((3, CLASSES), np.int32)
        self._fits = 0

    def at(self, step: float) -> Trial:
        """Quantise with a step."""
        trial = attempt(self._coefficients, step, self._weights, self._deltas)
        self._deltas = trial.parameters.deltas
        return trial

    def fitted(self, trial: Trial) -> Trial:
        """The same step with weights fitted to what it gave, where they pay."""
        if trial.bits < 8 * _FITTED_FROM:
            return trial
        self._weights = trial.fitted_weights()
        return self.at(trial.step)


def to_step(search: Search, goal: Step, exponent: int) -> Trial:
    """The trial of a step."""
    step = math.ldexp(goal.size, -exponent)
    return search.fitted(search.at(step))


def to_budget(search: Search, goal: Budget, first: float) -> bytes:
    """The section of the finest step that fits; its size is that of its bits and a rest that changes little."""
    search.fitted(search.at(first))
    rest, step, best = 200.0, first, b""
    low, high = 0.0, math.inf
    slope = 1.4
    for _ in range(_MOST_TRIALS):
        trial = search.at(step)
        size = trial.bits / 8 + rest
        if abs(size / (goal.size * _AIM) - 1) < 0.02:
            section = trial.section()
            rest = len(section) - trial.bits / 8
            size = len(section)
            if size <= goal.size and size > len(best):
                best = section
                if size >= goal.size * _LEAST_USED:
                    return best
        low, high = (max(low, step), high) if size > goal.size else (low, min(high, step))
        wanted = step * (size / (goal.size * _AIM)) ** (1 / slope)
        step = wanted if low < wanted < high else math.sqrt(low * high) if low and high < math.inf else wanted
    if not best:
        raise ConfigurationError(f"{goal.size} bytes are too few for a section of coefficients")
    return best


def to_error(search: Search, goal: Error, first: float, error_of: Callable[[bytes], float]) -> bytes:
    """The section of the coarsest step whose error, measured, is small enough."""
    search.fitted(search.at(first))
    step, best, ratio = first, b"", 1.0
    low, high = 0.0, math.inf
    for _ in range(_MOST_TRIALS):
        trial = search.at(step)
        error = trial.error * ratio
        if goal.rms * 0.97 < error < goal.rms * 1.03:
            section = trial.section()
            error = error_of(section)
            ratio = error / trial.error
            if error <= goal.rms:
                best = section
                if error >= goal.rms * _WITHIN:
                    return best
        low, high = (max(low, step), high) if error <= goal.rms else (low, min(high, step))
        wanted = step * (goal.rms * _AIM_ERROR / error) ** 1.3
        step = wanted if low < wanted < high else math.sqrt(low * high) if low and high < math.inf else wanted
    if not best:
        raise ConfigurationError(f"a root mean squared error of {goal.rms} is not reached")
    return best


def encode(
    volume: NDArray[np.float64], coefficients: Coefficients, goal: Goal, shape: tuple[int, ...]
) -> bytes:
    """The section of a volume for a goal."""
    search, exponent = Search(coefficients), coefficients.scale.exponent
    if isinstance(goal, Step):
        return to_step(search, goal, exponent).section()
    if isinstance(goal, Budget):
        return to_budget(search, goal, first_step(coefficients, goal.size))
    wanted = math.ldexp(goal.rms, -exponent)

    def error_of(section: bytes) -> float:
        detail = Detail.parse(section, shape)
        return float(np.sqrt(np.mean((detail.samples(detail.whole()) - volume.reshape(shape)) ** 2)))

    return to_error(search, goal, wanted * 2.5, error_of)


def first_step(coefficients: Coefficients, size: int) -> float:
    """A step with which about so many bytes are taken: that many coefficients are above it."""
    sizes = np.abs(coefficients.values) * np.repeat(
        coefficients.steps(1.0) ** -1, coefficients.layout.bands[:, 1:].prod(1)
    )
    count = min(len(sizes) - 1, max(1, int(size * 8 / 6)))
    return float(np.partition(sizes, len(sizes) - count)[len(sizes) - count]) / 0.75
