"""Weights of networks in training as they will be decoded, what they cost, and gradients of both, compiled.

The twin of `tinc_codec.encoding.fit.quantised.InOperations` on a CPU: there that is some fifty operations on a few
thousand numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.tree.laplace import LEAST_PROBABILITY, LEAST_SCALE


def quantised(
    theta: NDArray[np.float32], steps: NDArray[np.float32], kinds: NDArray[np.int64], noise: NDArray[np.float32] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Weights that are rounded, or disturbed by noise, and their bits.

    Parameters
    ----------
    theta
        Parameters, ``(chunks, parameters)``.
    steps
        Logarithms of quantisation steps, ``(chunks, kinds)``.
    kinds
        Of each parameter, ``(parameters,)``.
    noise
        Within half a step, like `theta`; None: round.

    Returns
    -------
    weights
        Like `theta`.
    bits
        Of each chunk, ``(chunks,)``.
    slopes
        Derivatives of the bits by each parameter over its step, like `theta`.
    """
    weights, slopes, bits = np.empty_like(theta), np.empty_like(theta), np.empty(len(theta), np.float32)
    _quantised(theta, steps, kinds, theta if noise is None else noise, noise is None, weights, slopes, bits)
    return weights, bits, slopes


def gradients(
    theta: NDArray[np.float32],
    steps: NDArray[np.float32],
    kinds: NDArray[np.int64],
    weights: NDArray[np.float32],
    slopes: NDArray[np.float32],
    of_weights: NDArray[np.float32],
    of_bits: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gradients of what is asked for by parameters and logarithms of steps; see `quantised`.

    Parameters
    ----------
    of_weights, of_bits
        Gradients by what `quantised` returned.
    """
    of_theta, of_steps = np.empty_like(theta), np.zeros_like(steps)
    _gradients(theta, steps, kinds, weights, slopes, of_weights, of_bits, of_theta, of_steps)
    return of_theta, of_steps


@jit
def _quantised(
    theta: Any, steps: Any, kinds: Any, noise: Any, rounding: bool, weights: Any, slopes: Any, bits: Any
) -> None:
    for chunk in range(len(theta)):
        sums, counts, sizes = np.zeros(steps.shape[1]), np.zeros(steps.shape[1]), np.exp(steps[chunk])
        for number in range(len(kinds)):
            kind = kinds[number]
            step = sizes[kind]
            q = theta[chunk, number] / step
            q = np.rint(q) if rounding else q + noise[chunk, number]
            weights[chunk, number], slopes[chunk, number] = q * step, q
            sums[kind] += abs(q)
            counts[kind] += 1
        total = 0.0
        scales = np.fmax(sums / np.fmax(counts, 1), LEAST_SCALE)
        tails = np.log(-np.expm1(-1 / scales)) - math.log(2)
        for number in range(len(kinds)):
            kind = kinds[number]
            nats, slope = _laplace(np.float64(slopes[chunk, number]), 1 / scales[kind], tails[kind])
            total += nats
            slopes[chunk, number] = slope / math.log(2)
        bits[chunk] = total / math.log(2)


@jit
def _laplace(q: Any, inverse: Any, tail: Any) -> Any:
    """Nats of a value in steps under a Laplace distribution integrated over a unit interval, and their derivative."""
    size = abs(q)
    if not size < 0.5:  # a tail, or no number
        return (size - 0.5) * inverse - tail, math.copysign(inverse, q)
    low, high = math.exp((size - 0.5) * inverse), math.exp((-size - 0.5) * inverse)
    centre = 1 - 0.5 * (low + high)
    if centre < LEAST_PROBABILITY:
        return -math.log(LEAST_PROBABILITY), 0.0
    return -math.log(centre), math.copysign(0.5 * inverse * (low - high) / centre, q)


@jit
def _gradients(
    theta: Any,
    steps: Any,
    kinds: Any,
    weights: Any,
    slopes: Any,
    of_weights: Any,
    of_bits: Any,
    of_theta: Any,
    of_steps: Any,
) -> None:
    for chunk in range(len(theta)):
        sizes = np.exp(steps[chunk])
        for number in range(len(kinds)):
            kind = kinds[number]
            value, given = theta[chunk, number], of_weights[chunk, number]
            by_bits = of_bits[chunk] * slopes[chunk, number] / sizes[kind]
            of_theta[chunk, number] = given + by_bits
            of_steps[chunk, kind] += given * (weights[chunk, number] - value) - by_bits * value
