"""What a section is encoded for: a budget of bytes, an error, or a step; and the search for the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.encoding import Coefficients, Trial, attempt, transform
from tinc_codec.detail.plan import Plan
from tinc_codec.detail.plans import choose, usual
from tinc_codec.detail.section import four
from tinc_codec.detail.work import Work
from tinc_codec.errors import UnreachableGoalError


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
_NEAR = 0.03
"""How near a guess must be for its section to be written and measured."""

_MOST_TRIALS = 16
_LEARNING = 3
"""Trials after which the tables that bits are counted by stay, so that sizes follow steps."""

_SIZES, _ERRORS = 1.4, 0.75
"""Powers of the step that sizes fall, and errors rise with, about."""

_WITHIN = 10 ** (-0.05 / 20)
_AIM_ERROR = 10 ** (-0.02 / 20)
_STEPS = 2.5
"""A step in errors, about."""


class Search:
    """Trials of one volume, each with what the last ones taught; `check` is called before each."""

    def __init__(self, coefficients: Coefficients, check: Callable[[], None]) -> None:
        self._coefficients, self._check = coefficients, check
        self._weights, self._deltas = PRESETS[0], np.zeros((3, CLASSES), np.int32)
        self._learning = _LEARNING

    def at(self, step: float) -> Trial:
        """Quantise with a step."""
        self._check()
        trial = attempt(self._coefficients, step, self._weights, self._deltas)
        if self._learning:
            self._deltas = trial.parameters.deltas
            self._learning -= 1
        return trial

    @property
    def learned(self) -> bool:
        """Whether the same step gives the same trial again."""
        return not self._learning

    def fitted(self, trial: Trial) -> Trial:
        """The same step with weights fitted to what it gave, where they pay."""
        self._weights = trial.fitted_weights()
        return self.at(trial.step)


class _Steps:
    """Steps to try, between the finest that was too coarse and the coarsest that was too fine."""

    def __init__(self) -> None:
        self._fine, self._coarse = 0.0, math.inf

    def after(self, step: float, too_fine: bool, wanted: float, lasting: bool) -> float:
        """The next step: the wanted one, where it lies between; what is not `lasting` may be otherwise next time."""
        if not lasting:
            return wanted
        if too_fine:
            self._fine = max(self._fine, step)
        else:
            self._coarse = min(self._coarse, step)
        if self._fine < wanted < self._coarse:
            return wanted
        return math.sqrt(self._fine * self._coarse) if self._fine and self._coarse < math.inf else wanted


def to_budget(search: Search, goal: Budget, first: float) -> bytes:
    """The section of the finest step that fits."""
    if goal.size < 1:
        raise UnreachableGoalError(f"{goal.size} bytes are too few for a section of coefficients")
    trial, step, best, steps = search.fitted(search.at(first)), first, b"", _Steps()
    ending = 0.0  # what the ends of pieces take beyond their bits
    for _ in range(_MOST_TRIALS):
        size = trial.size + ending
        if abs(size / (goal.size * _AIM) - 1) < _NEAR:
            section = trial.section()
            size, ending = len(section), len(section) - trial.size
            if len(best) < size <= goal.size:
                best = section
                if size >= goal.size * _LEAST_USED:
                    break
        wanted = step * (size / (goal.size * _AIM)) ** (1 / _SIZES)
        step = steps.after(step, size > goal.size, min(max(wanted, step / 4), step * 4), search.learned)
        trial = search.at(step)
    if not best:
        raise UnreachableGoalError(f"{goal.size} bytes are too few for a section of coefficients")
    return best


def to_error(search: Search, rms: float, first: float, error_of: Callable[[bytes], float]) -> bytes:
    """The section of the coarsest step whose error, measured, is small enough."""
    trial, step, best, steps = search.fitted(search.at(first)), first, b"", _Steps()
    ratio, measured = 1.0, False  # of the error that decoding gives to the one that a trial tells
    for _ in range(_MOST_TRIALS):
        error = trial.error * ratio
        if abs(error / rms - 1) < _NEAR:
            section = trial.section()
            error = error_of(section)
            ratio, measured = error / trial.error, True
            if error <= rms:
                best = section
                if error >= rms * _WITHIN:
                    break
        wanted = step * (rms * _AIM_ERROR / error) ** (1 / _ERRORS) if error else 2 * step
        step = steps.after(step, error <= rms, min(max(wanted, step / 4), step * 4), search.learned and measured)
        trial = search.at(step)
    if not best:
        raise UnreachableGoalError(f"a root mean squared error of {rms} integers is not reached")
    return best


def encode(
    volume: NDArray[Any],
    goal: Goal,
    work: Work,
    *,
    plan: Plan | None = None,
    effort: int = 3,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    """The section of a volume.

    Parameters
    ----------
    volume
        1 to 4 axes, of any sizes; finite.
    goal
        What it is encoded for.
    work
        Who works on the coefficients: the `detail` of a backend.
    plan
        Of the packet; None: the one that seems best.
    effort
        From 1 to 3: how long the best bytes are searched for.
    check
        Is called again and again while it is encoded, and may raise.

    Raises
    ------
    UnreachableGoalError
        The goal cannot be reached.
    """
    whole = np.asarray(volume, np.float64).reshape(four(volume.shape))
    if plan is None:
        check()
        plan = choose(whole, _step_of(whole, goal, work), work)
    check()
    coefficients = transform(whole, plan, work)
    first, search = _guess(coefficients, goal), Search(coefficients, check)
    if isinstance(goal, Step):
        return search.fitted(search.at(first)).section()
    if isinstance(goal, Budget):
        return to_budget(search, goal, first)

    def error_of(section: bytes) -> float:
        detail = Detail.parse(section, volume.shape, work)
        wrong = detail.samples(detail.whole()) - whole.reshape(volume.shape)
        return math.ldexp(float(np.sqrt(np.mean(wrong * wrong))), -coefficients.scale.exponent)

    rms = math.ldexp(goal.rms, -coefficients.scale.exponent)
    return to_error(search, rms, first, error_of)


def _step_of(whole: NDArray[np.float64], goal: Goal, work: Work) -> float:
    """A first step, in samples, before there is a plan."""
    if isinstance(goal, Step):
        return goal.size
    if isinstance(goal, Error):
        return goal.rms * _STEPS
    coefficients = transform(whole, usual(whole.shape), work)
    return math.ldexp(_guess(coefficients, goal), coefficients.scale.exponent)


def _guess(coefficients: Coefficients, goal: Goal) -> float:
    """A first step, in the integers of the coefficients."""
    if isinstance(goal, Budget):
        return first_step(coefficients, goal.size)
    size = goal.size if isinstance(goal, Step) else goal.rms * _STEPS
    return max(math.ldexp(size, -coefficients.scale.exponent), 2.0**-8)


def first_step(coefficients: Coefficients, size: int) -> float:
    """A step with which about so many bytes are taken: that many coefficients are above it."""
    sizes = np.abs(coefficients.values) * np.repeat(
        coefficients.steps(1.0) ** -1, coefficients.layout.bands[:, 1:].prod(1)
    )
    count = min(len(sizes) - 1, max(1, int(size * 8 / 6)))
    return float(np.partition(sizes, len(sizes) - count)[len(sizes) - count]) / 0.75
