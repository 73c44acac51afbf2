"""Streams of every kind that the format knows."""

import numpy as np

from tests.models import random_detail, random_residual, random_stream
from tinc_codec import TINCCodec

SHAPES = [(), (1,), (40,), (17, 20), (1, 33), (9, 16, 17), (2, 15, 3, 16), (2, 2, 1, 3, 16), (3, 2, 2, 9, 17)]
DTYPES = ["u1", ">u2", "<i4", "u8", "i8", "f2", ">f4", "f8"]
KINDS = [
    "network",
    "lossless",
    "residual",
    "residual and exact and crop",
    "model and residual",
    "model and exact",
    "detail",
    "detail and exact and crop",
    "detail and above",
    "detail and residual",
    "detail and above and exact and residual",
]


def streams(rng, shape, dtype, kind):
    """A stream of one of the kinds that the format knows."""
    order = "F" if rng.random() < 0.5 else "C"
    if kind == "network":
        return random_stream(rng, shape, dtype, order, levels=int(rng.integers(1, 5)))
    if kind == "lossless":
        values = rng.normal(0, 30, shape).round() + 100
        return TINCCodec(max_error=0).encode(np.array(values, dtype, order=order))
    if "detail" in kind:
        parts = {name: name in kind for name in ("above", "exact", "crop", "residual")}
        return random_detail(rng, shape, dtype, order, **parts)
    parts = {name: name in kind for name in ("model", "exact", "crop")}
    return random_residual(rng, shape, dtype, order, int(rng.choice([1, 3, 9])), **parts)[0]
