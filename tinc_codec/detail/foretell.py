"""What coefficients of a volume cost, foretold without coding them: to compare volumes, not packets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.encoding import Coefficients, Samples, transform
from tinc_codec.detail.goals import Step, first_step, wanted_step
from tinc_codec.detail.plans import cost as cost_of
from tinc_codec.detail.plans import usual
from tinc_codec.detail.section import four
from tinc_codec.detail.work import EncodingWork


def usual_coefficients(volume: NDArray[Any], work: EncodingWork) -> Coefficients:
    """Coefficients of the usual packet.

    Parameters
    ----------
    volume
        1 to 4 axes; finite.
    work
        Who works on coefficients.
    """
    samples = Samples.of(np.asarray(volume, np.float64).reshape(four(volume.shape)))
    return transform(samples, usual(samples.values.shape), work)


def step(coefficients: Coefficients, size: int) -> float:
    """The quantisation step, in samples, with which they take so many bytes, about."""
    return math.ldexp(first_step(coefficients, size), coefficients.scale.exponent)


def cost(coefficients: Coefficients, size: float) -> float:
    """Squared errors in squared steps and the price of the bits, about, with a step of `size` in samples."""
    return cost_of(coefficients, wanted_step(coefficients.scale, Step(size)))
