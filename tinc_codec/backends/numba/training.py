"""What training on a CPU is compiled of."""

from __future__ import annotations

from tinc_codec.backends.numba.detail.rate import rate
from tinc_codec.backends.numba.quantised_weights import gradients, quantised
from tinc_codec.backends.numba.sine_chain import backward, forward, refusal

__all__ = ["backward", "forward", "gradients", "quantised", "rate", "refusal"]
