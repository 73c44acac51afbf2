"""A chunk's coefficients: sections for a goal, on top of what the levels above predict or alone."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from tinc_codec.backends import choice
from tinc_codec.decoding.predictors.detail import pack_range
from tinc_codec.detail.goals import Budget, Goal, Step, encode
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.errors import UnreachableGoalError
from tinc_codec.runtime.progress import TrainingProgress
from tinc_codec.stream.container import Section

COEFFICIENTS_ALONE = 3
"""The largest effort that is the coefficients'; those above it are spent on networks."""

_EXTREME = 900
"""Binary exponent of samples, in magnitude, from which float64 has no room for their sums."""


def possible(chunk: PreparedChunk) -> bool:
    """Whether the chunk's numbers are such that they can be transformed."""
    return abs(chunk.exponent) < _EXTREME


def sections(
    chunk: PreparedChunk, goal: Goal, report: TrainingProgress, above: NDArray[Any] | None = None
) -> dict[int, bytes]:
    """The section of a chunk's coefficients: for a budget that is too small, the smallest there is.

    Parameters
    ----------
    chunk
        Its numbers are `possible`.
    goal
        A budget is that of the section's payload.
    above
        Samples that the levels above predict; None: there are none.
    """
    limits = pack_range(chunk.low, chunk.high)
    volume = chunk.smooth if above is None else chunk.smooth_rest(above)
    effort = min(chunk.config.effort, COEFFICIENTS_ALONE)

    def coded(goal: Goal) -> bytes:
        return choice.with_coefficients(
            volume.size, lambda work: encode(volume, goal, work, effort=effort, check=report.check)
        )

    try:
        section = coded(Budget(goal.size - len(limits)) if isinstance(goal, Budget) else goal)
    except UnreachableGoalError:
        if not isinstance(goal, Budget):
            raise
        section = coded(Step(math.inf))  # nothing but the mean
    return {Section.DETAIL: limits + section}
