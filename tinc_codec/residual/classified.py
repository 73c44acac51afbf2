"""What the voxels of a pass are coded as: contexts, tokens and extra bits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual import tokens


class Classified(NamedTuple):
    """Voxels of a pass, in order."""

    contexts: NDArray[np.uint8]
    numbers: tokens.Split
    counts: NDArray[np.int64]
    """How often each token comes in each context, shape ``(contexts, MOST_TOKENS)``."""


def contexts(expected: NDArray[np.float64], thresholds: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Context of each voxel: how many thresholds its expected error reaches."""
    return np.searchsorted(thresholds.astype(np.float64), expected, side="right").astype(np.uint8)


def classified(expected: NDArray[np.float64], steps: NDArray[np.int64], thresholds: NDArray[np.int64]) -> Classified:
    """Contexts, tokens and extra bits of voxels.

    Parameters
    ----------
    expected, steps
        See `tinc_codec.residual.lattice.Coded`.
    thresholds
        Of the contexts, ascending.
    """
    context, numbers = contexts(expected, thresholds), tokens.split(tokens.zigzag(steps))
    both = context.astype(np.int64) * tokens.MOST_TOKENS + numbers.tokens
    size = (len(thresholds) + 1) * tokens.MOST_TOKENS
    return Classified(context, numbers, np.bincount(both, minlength=size).reshape(-1, tokens.MOST_TOKENS))
