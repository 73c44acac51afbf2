"""Weights of the expected magnitude that are part of the format, fitted to real volumes; in units of 1 / 128."""

from __future__ import annotations

import numpy as np

DEFAULT_WEIGHTS = np.array(
    (
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 14, 1, 0, 10, 0, 0, 71),
        (31, 0, 0, 0, 0, 0, 0, 15, 49, 1, 0, 0, 10, 0, 0, 5, 1, 0, 3),
        (0, 32, 0, 17, 0, 0, 0, 19, 40, 0, 0, 0, 7, 0, 0, 4, 1, 0, 0),
        (0, 0, 25, 0, 13, 17, 0, 33, 20, 1, 0, 0, 8, 0, 0, 4, 0, 0, 0),
        (25, 27, 0, 10, 0, 0, 9, 23, 17, 0, 0, 0, 4, 0, 0, 4, 1, 0, 2),
        (31, 0, 22, 0, 5, 13, 5, 17, 18, 1, 0, 0, 6, 0, 0, 3, 0, 0, 0),
        (0, 28, 19, 16, 10, 10, 3, 21, 9, 0, 0, 0, 3, 0, 0, 3, 0, 0, 0),
        (21, 25, 17, 12, 6, 8, 1, 21, 5, 0, 0, 0, 5, 0, 0, 3, 0, 0, 0),
    ),
    np.int64,
)
"""Shape ``(8, WEIGHTS)``: a row for each pass; places as `tinc_codec.detail.contexts` has them."""
