"""Whether a chunk is kept as it was asked for: one rule, for who encodes it, who writes it and who reads it back.

Some samples must come back bit for bit: what is not finite, the exact values that were asked for, and with
``max_error=0`` everything. No other sample may come back as one of them. What remains keeps a bound.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.config import Config
from tinc_codec.targets.protocol import Bound


def exact_samples(samples: NDArray[Any], config: Config) -> NDArray[np.bool_]:
    """Which samples cannot be left to a model, since they must come back bit for bit and nothing else as they.

    Parameters
    ----------
    samples
        Integers or floats, any shape and byte order.
    config
        Its exact values count as what they are in the samples' dtype: a float is rounded to it, and a number that is
        not among the dtype's integers is no sample's value.

    Returns
    -------
    ndarray of bool
        As `samples`; with ``max_error=0`` negative zeros are among them, which no model tells from zeros.
    """
    floating = samples.dtype.kind == "f"
    exact = ~np.isfinite(samples) if floating else np.zeros(samples.shape, bool)
    for value in config.exact_values:
        sample = _cast(value, samples.dtype)
        if sample is not None:
            exact |= samples == sample
    if floating and config.target.lossless:
        exact |= (samples == 0) & np.signbit(samples)
    return exact


def _cast(value: float, dtype: np.dtype[Any]) -> Any:
    """A number as a sample; None where no finite sample has that value."""
    if dtype.kind == "f":
        try:
            with np.errstate(over="ignore"):
                sample = dtype.type(value)
        except OverflowError:  # an int beyond any float
            return None
        return sample if np.isfinite(sample) else None
    whole, limits = int(value), np.iinfo(dtype)
    return dtype.type(whole) if whole == value and limits.min <= whole <= limits.max else None


def complaint(original: NDArray[Any], decoded: NDArray[Any], config: Config) -> str | None:
    """What is wrong with a chunk.

    Parameters
    ----------
    original, decoded
        Its samples as they were given and as they are read back; same shape and dtype, but for the byte order.
    config
        What was asked for.

    Returns
    -------
    str or None
        As in "has an error of 3.0, above 2.0"; None: it is kept.
    """
    if config.target.lossless:
        return None if same_bits(original, decoded) else "was to be lossless and is not the same"
    exact = exact_samples(original, config)
    if not same_bits(original[exact], decoded[exact]):
        return "has lost values that were to come back exactly"
    if (exact_samples(decoded, config) & ~exact).any():
        return "has exact values, or values that are not finite, where there were none"
    if exact.any():
        original, decoded = original[~exact], decoded[~exact]
    return _beyond(original, decoded, config) if original.size else None


def _beyond(original: NDArray[Any], decoded: NDArray[Any], config: Config) -> str | None:
    """What is wrong with the samples that are not exact."""
    limit = config.target.bound(float(original.min()), float(original.max()))
    return None if limit == Bound() else limit.complaint(*metrics.errors(original, decoded))


def same_bits(original: NDArray[Any], decoded: NDArray[Any]) -> bool:
    """Whether two arrays hold the same, bit for bit: not so +0.0 and -0.0, nor two NaNs of different payload."""
    native = original.dtype.newbyteorder("=")
    a, b = original.astype(native, copy=False), decoded.astype(native, copy=False)
    if a.shape != b.shape:
        return False
    if native.hasobject or native.kind == "T":  # strings of any length: their samples are not in the array itself
        return bool(np.array_equal(a, b))
    return a.tobytes() == b.tobytes()
