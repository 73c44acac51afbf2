"""The work on coefficients in NumPy and constriction, see `tinc_codec.detail.work.Work`: what the twins must equal."""

from __future__ import annotations

from tinc_codec.detail.estimate import cost
from tinc_codec.detail.fill import diffuse
from tinc_codec.detail.host import flat, on_host, placed
from tinc_codec.detail.joining import inverse
from tinc_codec.detail.lifting import forward
from tinc_codec.detail.mask import pack as pack_mask
from tinc_codec.detail.mask import unpack as unpack_mask
from tinc_codec.detail.samples import samples
from tinc_codec.detail.walk import Walker as walker  # noqa: N813  # called as a function

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
