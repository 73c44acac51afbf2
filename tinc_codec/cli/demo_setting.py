"""Which setting `tinc demo` takes where none is given: nothing is lost but what is below the noise of the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.hosts.samples import sample_of, why_not_amounts
from tinc_codec.noise_level import noise

EFFORT = 1
"""Of a setting that is chosen: the picture is that of larger ones, and two cores are done within 15 seconds."""

_LEAST_RANGE = 4.0
"""Multiples of the noise that a range has at least, if what was measured is noise and not what there is to see."""


@dataclass(frozen=True)
class Setting:
    """A setting, and why it suits.

    Parameters
    ----------
    arguments
        Of `tinc_codec.TINCCodec`.
    reason
        In words.
    """

    arguments: Mapping[str, float]
    reason: str

    @property
    def line(self) -> str:
        """For people."""
        asked = ", ".join(f"{name}={value:g}" for name, value in self.arguments.items())
        return f"chosen: {asked}; {self.reason}"


def setting_for(noise: float, low: float, high: float, exact: str | None) -> Setting:
    """The setting that makes data smallest, of those that lose nothing but what is below their noise.

    A root mean square error of one noise is what remains where a codec keeps all that there is and none of the noise;
    two exposures differ by 1.4 times as much. A PSNR says so of every chunk, whatever ratio that is.

    Parameters
    ----------
    noise, low, high
        Deviation of the noise, and the range of the data, in their units.
    exact
        Why the data must stay exact; None: they need not.
    """
    span = high - low
    if exact is not None:
        return _lossless(f"these data should stay exact: {exact}")
    if not noise:
        return _lossless(
            "no noise was measured, as in labels, masks and renderings, so that every bit may mean something"
        )
    if not math.isfinite(span) or span < _LEAST_RANGE * noise:
        return _lossless(
            f"noise was measured as {noise:.3g} in a range of {span:.3g}, beside which nothing can be seen"
        )
    psnr = math.ceil(200 * math.log10(span / noise)) / 10  # upwards: the noise is not exceeded
    reason = f"noise was measured as {noise:.3g}, and no chunk's error (root mean square) is above it"
    return Setting({"psnr": psnr, "data_range": span}, reason)


def _lossless(reason: str) -> Setting:
    return Setting({"max_error": 0.0}, reason)


def measured_setting(volume: NDArray[Any]) -> Setting:
    """The setting for a volume of integers or floats, not empty, by what is measured of it."""
    finite = volume if volume.dtype.kind in "iu" else volume[np.isfinite(volume)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return setting_for(noise(volume), low, high, why_not_amounts(sample_of(volume), None))
