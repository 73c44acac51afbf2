"""The search for the step that meets a goal: trials of one volume, each with what the last ones taught."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.encoding import COARSEST, FINEST, Coefficients, Trial, attempt
from tinc_codec.detail.sample import Sample
from tinc_codec.errors import UnreachableGoalError


@dataclass(frozen=True)
class Effort:
    """How long is searched.

    Parameters
    ----------
    used
        The search ends when this share of a budget is used.
    undercut
        And when an error is above this share of the wanted one.
    learning
        Trials after which weights and tables that bits are counted by stay, so that sizes follow steps.
    plans
        How many plans are compared on the whole volume.
    fitted
        Coefficients that weights are fitted to, about.
    """

    used: float
    undercut: float
    learning: int
    plans: int
    fitted: int


_DECIBEL = 10 ** (-1 / 20)
EFFORTS = {
    1: Effort(0.98, _DECIBEL**0.05, 2, 1, 2**16),
    2: Effort(0.99, _DECIBEL**0.04, 3, 2, 2**17),
    3: Effort(0.996, _DECIBEL**0.02, 3, 4, 2**19),
}

_MOST_TRIALS = 20
_PATIENCE, _ENOUGH = 6, 0.98
"""Trials after which a section is good enough that uses this share of a budget."""

_NEAR = 0.03
"""How near a guess must be for its section to be written and measured."""

_SKETCHED = 2**18
"""Coefficients of a sample that a volume is tried by, about, with what these are predicted from."""

_MOST_SKETCHES = 6

_BISECTIONS = 8
"""Steps that are tried between one that fits a budget and one that does not, where sizes do not follow steps."""

_ERRORS = 0.75
"""Power of the step that errors follow, about."""

_LOOSE, _NEARLY = 0.97, 0.8
"""Where no more than the first share of an error is wanted, the second is enough once `_PATIENCE` is over."""

_SAME = 2e-4
"""How near, in logarithms, a step is one that was tried."""

_FARTHEST = 4.0
"""How many times as large, or small, the next step may be."""

_INSIDE = 0.02
"""How far from both ends of an interval a step is tried, as a share of it."""


def _unchanged(_: float) -> float:
    return 1.0


class Search:
    """Trials of one volume; `check` is called before each."""

    def __init__(self, coefficients: Coefficients, effort: Effort, check: Callable[[], None]) -> None:
        self.effort, self._sample = effort, Sample.of(coefficients.layout, _SKETCHED, coefficients.activity)
        self._coefficients, self._check = coefficients, check
        self._weights, self._deltas = PRESETS[0], np.zeros((3, CLASSES), np.int32)
        self._learning = effort.learning

    def at(self, step: float) -> Trial:
        """Quantise with a step."""
        return self._learned_from(step, None)

    def approached(self, step: float, value: Callable[[Trial], float], aim: float, power: float) -> tuple[float, float]:
        """A step that is near, from trials of a sample where the volume is large, and the power that holds there.

        Parameters
        ----------
        value
            Of a trial, that should be `aim`.
        power
            Of the step, that it follows, about.
        """
        if self._sample.whole:
            return step, power
        curve = _Curve(power)
        for _ in range(_MOST_SKETCHES):
            learned, reached = self.learned, value(self._learned_from(step, self._sample))
            curve.add(step, reached, learned)
            step = curve.step(aim)
            if learned and abs(reached / aim - 1) < _NEAR:
                break
        return step, curve.power

    def _learned_from(self, step: float, sample: Sample | None) -> Trial:
        self._check()
        trial = attempt(self._coefficients, step, self._weights, self._deltas, sample)
        if self._learning:
            self._weights, self._deltas = trial.fitted_weights(self.effort.fitted), trial.parameters.deltas
            self._learning -= 1
        return trial

    def learn(self, step: float, refined: Callable[[float], float] = _unchanged) -> Trial:
        """Quantise with a step, after all has been learned from it.

        Parameters
        ----------
        refined
            Factor of the step from the bytes of the first trial of it, about.
        """
        while not self.learned:
            step *= refined(self._learned_from(step, self._sample).size)
            refined = _unchanged
        return self.at(step)

    @property
    def learned(self) -> bool:
        """Whether the same step gives the same trial again."""
        return not self._learning


class _Curve:
    """How a value follows the step, from trials; those before all was learned count only until the next."""

    def __init__(self, power: float) -> None:
        self._power, self._lasting = power, False
        self._points: list[tuple[float, float]] = []

    def add(self, step: float, value: float, lasting: bool) -> None:
        """Note a trial; what is not `lasting` may be otherwise next time."""
        before = self._points if self._lasting else []
        self._points, self._lasting = [*before, (math.log(step), math.log(max(value, 1e-300)))], lasting

    @property
    def power(self) -> float:
        """Of the step, that values follow between the last trials."""
        if not self._lasting or len(self._points) < 2:
            return self._power
        (at, here), (other, there) = self._points[-2:]
        return self._power * min(max((there - here) / (other - at) / self._power, 0.2), 5.0)

    def step(self, value: float) -> float:
        """Where the value is expected: between trials if there are any on both sides of it."""
        wanted = math.log(value)
        order = sorted(self._points, key=lambda point: abs(point[1] - wanted))
        at, there = order[0]
        for other, beyond in order[1:]:
            if (beyond - wanted) * (there - wanted) < 0:
                share = (wanted - there) / (beyond - there)
                return self._untried(at + min(max(share, _INSIDE), 1 - _INSIDE) * (other - at), other - at)
        power, far = self._power, math.log(_FARTHEST)
        if len(order) > 1 and order[1][0] != at:
            power *= min(max((order[1][1] - there) / (order[1][0] - at) / power, 0.2), 5.0)
        return self._untried(at + min(max((wanted - there) / power, -far), far), (wanted - there) / power)

    def _untried(self, step: float, towards: float) -> float:
        """A step, or the next one that was not tried: it would say the same again."""
        while any(abs(step - tried) < _SAME for tried, _ in self._points):
            step += math.copysign(2 * _SAME, towards)
        return math.exp(step)


def to_budget(search: Search, size: int, first: float, power: float = -1.4) -> bytes:
    """The section of the finest step that fits in so many bytes.

    Parameters
    ----------
    first
        A step to begin with.
    power
        Of the step, that sizes follow, about.
    """
    too_few = f"{size} bytes are too few for a section of coefficients"
    if size < 1:
        raise UnreachableGoalError(too_few)
    aim = size * (1 + 2 * search.effort.used) / 3
    step, power = search.approached(first, lambda trial: trial.size, aim, power)
    best, curve = b"", _Curve(power)
    ending = 0.0  # what the ends of pieces take beyond their bits
    for number in range(_MOST_TRIALS):
        if number >= _PATIENCE and len(best) >= size * _ENOUGH:
            break
        learned, trial = search.learned, search.at(step)
        expected = trial.size + ending
        if learned and abs(expected / aim - 1) < _NEAR:
            section = trial.section()
            expected, ending = len(section), len(section) - trial.size
            aim = size * (3 + search.effort.used) / 4  # nearer, now that this is known
            if len(best) < expected <= size:
                best = section
                if expected >= size * search.effort.used:
                    break
        curve.add(step, trial.size, learned)
        step = curve.step(max(1, aim - ending))
    return best or _by_halves(search, step, _FARTHEST, lambda trial: len(trial.section()) <= size, too_few)


def to_error(search: Search, rms: float, least: float, first: float, error_of: Callable[[Trial], float]) -> bytes:
    """The section of the coarsest step whose error, measured, is small enough.

    Parameters
    ----------
    rms
        The largest error, in integers.
    least
        Part of it that is to be used.
    """
    aim = rms * (2 + least) / 3
    near = max(_NEAR, 1 - least)
    step, power = search.approached(first, lambda trial: trial.error, aim, _ERRORS)
    best: Trial | None = None
    ratio, used, curve = 1.0, 0.0, _Curve(power)
    for number in range(_MOST_TRIALS):
        if number >= _PATIENCE and least < _LOOSE and used >= _NEARLY * rms:
            break
        learned, trial = search.learned, search.at(step)
        error = trial.error * ratio
        if learned and abs(error / aim - 1) < near:
            error = error_of(trial)
            ratio = error / trial.error
            if used < error <= rms:
                best, used = trial, error
                if error >= rms * least:
                    break
        curve.add(step, trial.error, learned)
        step = curve.step(aim / ratio)
    if best is not None:
        return best.section()
    missed = f"a root mean squared error of {rms:g} integers is not reached"
    return _by_halves(search, step, 1 / _FARTHEST, lambda trial: error_of(trial) <= rms, missed)


def _by_halves(search: Search, step: float, towards: float, kept: Callable[[Trial], bool], complaint: str) -> bytes:
    """The section of a step that keeps a goal, where sizes or errors do not follow steps as they should.

    Parameters
    ----------
    step
        The first one.
    towards
        The factor of the next one while the goal is not kept: above 1 coarser, below 1 finer.
    kept
        Whether a trial does.
    complaint
        What is said where no step keeps it.

    Raises
    ------
    UnreachableGoalError
        No step keeps it.
    """
    search.learn(step)
    step = min(max(step, FINEST), COARSEST)
    trial = search.at(step)
    missed = 0.0
    while not kept(trial):
        if step == (COARSEST if towards > 1 else FINEST):
            raise UnreachableGoalError(complaint)
        missed, step = step, min(max(step * towards, FINEST), COARSEST)
        trial = search.at(step)
    for _ in range(_BISECTIONS if missed else 0):
        middle = math.sqrt(missed * step)
        other = search.at(middle)
        if kept(other):
            step, trial = middle, other
        else:
            missed = middle
    return trial.section()
