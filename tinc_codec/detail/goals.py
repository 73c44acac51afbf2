"""What a section is encoded for: a budget of bytes, an error, or a step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.encoding import COARSEST, FINEST, Coefficients, Samples, Trial, transform
from tinc_codec.detail.packet import Splits
from tinc_codec.detail.plan import Plan
from tinc_codec.detail.plans import choose, shared, usual
from tinc_codec.detail.scale import Scale
from tinc_codec.detail.search import EFFORTS, Search, to_budget, to_error
from tinc_codec.detail.section import four
from tinc_codec.detail.work import EncodingWork
from tinc_codec.errors import UnreachableGoalError


@dataclass(frozen=True)
class Budget:
    """At most so many bytes, and nearly all of them used."""

    size: int


@dataclass(frozen=True)
class Error:
    """A root mean squared error that is reached, and not undercut by much.

    Parameters
    ----------
    rms
        In samples.
    least
        Part of it that is to be used; None: what the effort says.
    """

    rms: float
    least: float | None = None


@dataclass(frozen=True)
class Step:
    """A quantisation step.

    Parameters
    ----------
    size
        In samples; infinite: nothing but their mean is left.
    refined
        Factor of the step from the bytes of a first trial of it, about; may raise `UnreachableGoalError` where it is
        not wanted any more.
    """

    size: float
    refined: Callable[[float], float] = lambda _: 1.0


Goal = Budget | Error | Step

STEPS = 2.5
"""A step in errors, about."""

_FURTHER, _POWERS = 1.25, (-4.0, -0.3)
"""By how much further a step is looked at to see what power sizes follow, and the powers that may be."""

_SAMPLE = 2**18
"""Coefficients that a first step is guessed from, about."""


def encode(
    volume: NDArray[Any],
    goal: Goal,
    work: EncodingWork,
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
    samples, trying = Samples.of(whole), EFFORTS[effort]
    if isinstance(goal, Error) and integers(goal.rms, samples.scale) * STEPS < FINEST:
        raise UnreachableGoalError(f"a root mean squared error of {goal.rms} is finer than the integers")
    check()
    if plan is None:
        splits = shared(samples)
        coefficients = choose(samples, _step(samples, goal, work, splits), work, trying.plans, splits)
    else:
        coefficients = transform(samples, plan, work)
    search = Search(coefficients, trying, check)
    if isinstance(goal, Budget):
        return to_budget(search, goal.size, *_first(coefficients, goal.size))
    first = wanted_step(coefficients.scale, goal)
    if isinstance(goal, Step):
        return search.learn(first, goal.refined).section()

    def error_of(trial: Trial) -> float:
        wrong = np.ldexp(trial.integers().astype(np.float64), coefficients.scale.exponent)
        wrong += coefficients.scale.origin
        wrong -= whole
        return math.ldexp(float(np.sqrt(np.mean(wrong * wrong))), -coefficients.scale.exponent)

    least = search.effort.undercut if goal.least is None else goal.least
    return to_error(search, integers(goal.rms, coefficients.scale), least, first, error_of)


def _step(samples: Samples, goal: Goal, work: EncodingWork, splits: Splits | None) -> float:
    """A first step before there is a plan, in the integers' units."""
    if isinstance(goal, Budget):
        return first_step(transform(samples, usual(samples.values.shape), work, splits), goal.size)
    return wanted_step(samples.scale, goal)


def wanted_step(scale: Scale, goal: Error | Step) -> float:
    """A first step for a goal, in the integers' units."""
    return integers(goal.size if isinstance(goal, Step) else goal.rms * STEPS, scale)


def integers(size: float, scale: Scale) -> float:
    """A size in samples in the integers' units, as far as steps reach."""
    with np.errstate(over="ignore"):
        return float(np.clip(np.ldexp(size, -scale.exponent), 2.0**-8, COARSEST))


def first_step(coefficients: Coefficients, size: int) -> float:
    """A step with which about so many bytes are taken: that many coefficients are above it."""
    return _first(coefficients, size)[0]


def _first(coefficients: Coefficients, size: int) -> tuple[float, float]:
    """The same, and the power of the step that sizes follow there, about: coefficients above it do."""
    parts, every = coefficients.layout, max(1, coefficients.layout.size // _SAMPLE)
    sizes = np.concatenate(
        [
            np.abs(parts.view(coefficients.on_host, band).ravel()[::every]) / np.float32(step)
            for band, step in enumerate(coefficients.unit_steps)
        ]
    )
    count = min(len(sizes), max(1, int(size * 8 / 6 / every)))
    least = _largest(sizes, count)
    more = max(1, int(np.count_nonzero(sizes > least * _FURTHER)))
    power = math.log(more / count) / math.log(_FURTHER)
    return max(FINEST, least / 0.75), min(max(power, _POWERS[0]), _POWERS[1])


def _largest(sizes: NDArray[np.float32], count: int) -> float:
    """The smallest of the `count` largest sizes, none below 0: looked for among those with the same leading bits."""
    leading = sizes.view(np.uint32) >> 16
    above = np.bincount(leading)[::-1].cumsum()[::-1]  # of each and all larger ones
    those = int(np.flatnonzero(above >= count)[-1])
    alike = sizes[leading == those]
    place = int(above[those]) - count
    return float(np.partition(alike, place)[place])
