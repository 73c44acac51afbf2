"""Whether networks are tried for a chunk, and with which shares of the bytes."""

from __future__ import annotations

from importlib.util import find_spec

from tinc_codec.config import Config
from tinc_codec.encoding.coefficients import COEFFICIENTS_ALONE

SHARES = (1 / 4, 1 / 2)
"""Parts of a budget that sine layers are probed with, ascending: still larger ones pay less where these do not."""

PROBE = 1
"""Effort of a probe."""

PROMISING = 1.035
"""Root mean square error of a probe, over that of coefficients alone, up to which more effort is worth it: 0.3 dB."""

_PROBING = 0.2
"""Part of the work that probes are, about."""

TRAINING = (_PROBING, 1.0)
"""Begin and end of the training in full, as parts of the work."""


def worth_a_probe(config: Config) -> bool:
    """Whether settings and process allow networks where nobody asks for them by a share.

    Without torch there are none: coefficients keep every target alone.
    """
    return config.effort > COEFFICIENTS_ALONE and find_spec("torch") is not None


def probing(number: int, count: int) -> tuple[float, float]:
    """Begin and end of one of several probes, as parts of the work."""
    return _PROBING * number / count, _PROBING * (number + 1) / count
