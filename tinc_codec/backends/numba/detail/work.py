"""The compiled work on coefficients, see `tinc_codec.detail.work.Work`."""

from __future__ import annotations

from tinc_codec.backends.numba.detail.estimate import cost
from tinc_codec.backends.numba.detail.fill import diffuse
from tinc_codec.backends.numba.detail.joining import inverse
from tinc_codec.backends.numba.detail.lifting import forward
from tinc_codec.backends.numba.detail.mask import pack as pack_mask
from tinc_codec.backends.numba.detail.mask import unpack as unpack_mask
from tinc_codec.backends.numba.detail.samples import samples
from tinc_codec.backends.numba.detail.walker import Walker as walker  # noqa: N813  # called as a function
from tinc_codec.detail.host import flat, on_host, placed

__all__ = [
    "cost",
    "diffuse",
    "flat",
    "forward",
    "inverse",
    "on_host",
    "pack_mask",
    "placed",
    "samples",
    "unpack_mask",
    "walker",
]
