"""Coefficients that keep a root mean square error."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from tinc_codec.detail.goals import Error
from tinc_codec.encoding import coefficients, holes
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.encoding.verified import Verified, verify
from tinc_codec.errors import UnreachableGoalError
from tinc_codec.runtime.progress import TrainingProgress

_WITHIN = 10 ** (-0.05 / 20)
"""Part of the error allowed that coefficients must use: a twentieth of a dB."""

_AIMS = 5


def smaller(
    chunk: PreparedChunk, above: dict[int, bytes], samples: NDArray[Any] | None, rmse: float, report: TrainingProgress
) -> Verified | None:
    """The smaller stream of coefficients with and without a hole; see `of_coefficients`."""
    plain = of_coefficients(chunk, above, samples, rmse, report)
    holed_chunk = holes.left_out(chunk, rmse)
    if holed_chunk is None:
        return plain
    holed = of_coefficients(holed_chunk, above, samples, rmse, report)
    return min(filter(None, (plain, holed)), key=lambda one: len(one.stream), default=None)


def of_coefficients(
    chunk: PreparedChunk, above: dict[int, bytes], samples: NDArray[Any] | None, rmse: float, report: TrainingProgress
) -> Verified | None:
    """The stream of coefficients that keep an error, and nearly use it; None: none do.

    Parameters
    ----------
    above
        Sections of what lies above.
    samples
        What these predict; None: there are none.
    rmse
        Root mean square error, in the data's units.
    report
        Asked whether to go on.
    """
    counted, modelled = (part(chunk.values).size for part in (chunk.counting, chunk.for_model))
    best, error = None, rmse * math.sqrt(counted / modelled)
    for _ in range(_AIMS):
        try:
            detail = coefficients.sections(chunk, Error(error), report, samples)
        except UnreachableGoalError:
            break
        verified = verify(chunk, {**above, **detail})
        if verified.complaint is None and (best is None or len(verified.stream) < len(best.stream)):
            best = verified
        if _WITHIN * rmse <= verified.quality.rmse <= rmse or not verified.quality.rmse:
            break
        error *= min(max(math.sqrt(_WITHIN) * rmse / verified.quality.rmse, 0.5), 2.0)
    return best
