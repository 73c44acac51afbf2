"""What the samples of a chunk must keep: a largest error, or a root mean square error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.residual.integer_domain import IntegerDomain, bounded_domain
from tinc_codec.targets import Bound

_AIM = 1 - 1e-9
"""Part of the root mean square error allowed that is aimed at: the PSNR of all of it may be rounded to below."""

_SPREAD = 1.7
"""Largest error over root mean square error of a uniform quantiser, about."""


@dataclass(frozen=True)
class Goal:
    """What the samples that are for the model must keep.

    Parameters
    ----------
    domain
        Integers to code them as.
    allowed
        Largest error in the domain's integers.
    bound
        What they must keep, in the data's units.
    rmse
        What is aimed at, where the bound is one of the root mean square error.
    """

    domain: IntegerDomain
    allowed: int
    bound: Bound
    rmse: float | None


def goal(chunk: PreparedChunk) -> Goal | None:
    """What is asked for a chunk; None where its range is too wide for any domain."""
    limit = chunk.config.target.bound(float(chunk.low), float(chunk.high))
    rmse = None if limit.rmse is None else limit.rmse * _AIM
    error = limit.max_error if rmse is None else rmse * _SPREAD
    assert error is not None
    samples = chunk.for_model(chunk.values)
    domain = bounded_domain(samples, chunk.low, chunk.high, error) if math.isfinite(error) else None
    return None if domain is None else Goal(*domain, limit, rmse)
