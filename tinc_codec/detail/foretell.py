"""What coefficients of a volume cost, foretold without coding them: to compare volumes, not packets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.encoding import Samples, transform
from tinc_codec.detail.goals import Step, first_step, wanted_step
from tinc_codec.detail.plans import cost as cost_of
from tinc_codec.detail.plans import usual
from tinc_codec.detail.section import four
from tinc_codec.detail.work import EncodingWork


def step(volume: NDArray[Any], size: int, work: EncodingWork) -> float:
    """The quantisation step, in samples, with which the usual packet takes so many bytes, about.

    Parameters
    ----------
    volume
        1 to 4 axes; finite.
    size
        In bytes.
    work
        Who works on coefficients.
    """
    samples = _samples(volume)
    integers = first_step(transform(samples, usual(samples.values.shape), work), size)
    return math.ldexp(integers, samples.scale.exponent)


def cost(volume: NDArray[Any], size: float, work: EncodingWork) -> float:
    """Squared errors in squared steps and the price of the bits, about, with a step of `size` in samples."""
    samples = _samples(volume)
    coefficients = transform(samples, usual(samples.values.shape), work)
    return cost_of(coefficients, wanted_step(samples.scale, Step(size)))


def _samples(volume: NDArray[Any]) -> Samples:
    return Samples.of(np.asarray(volume, np.float64).reshape(four(volume.shape)))
