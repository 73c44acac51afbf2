"""What networks bring on top of coefficients, at equal bytes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tinc_codec.bench.crops import BENCHMARK, crop
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.coefficients import COEFFICIENTS_ALONE
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.warm_up import warm_up

_CHUNKS = tuple(f"{volume}64{place}" for volume in ("wholebrain", "fibsem", "embryo", "mni") for place in "abc")
VOLUMES = (*BENCHMARK, "wmag", "plant", *_CHUNKS)
RATIOS = (32.0, 64.0, 128.0, 256.0)

_NETWORKS = ("tree", "layers", "weights", "weight_lanes")
"""Sections of a stream that are its networks'."""


@dataclass(frozen=True)
class Gain:
    """One crop at one ratio.

    Parameters
    ----------
    alone, psnr
        Of coefficients alone, and of what the effort gives, in dB over the crop's own range.
    share
        Of the bytes, that networks take.
    seconds
        That encoding took.
    """

    crop: str
    ratio: float
    effort: int
    alone: float
    psnr: float
    share: float
    seconds: float

    @property
    def gain(self) -> float:
        """In dB."""
        return 0.0 if self.psnr == self.alone else self.psnr - self.alone

    @property
    def line(self) -> str:
        """For the terminal."""
        return (
            f"{self.crop:13} {self.ratio:5.0f}x  effort {self.effort}  {self.alone:6.2f} dB  {self.gain:+6.2f} dB  "
            f"share {self.share:5.1%}  {self.seconds:6.1f} s"
        )

    def as_json(self) -> dict[str, Any]:
        """As a JSON object, which knows no infinity."""
        return {key: None if value == math.inf else value for key, value in asdict(self).items()}


def gains(effort: int) -> Iterator[Gain]:
    """Every volume at each ratio."""
    warm_up([TINCCodec(ratio=RATIOS[0], effort=effort)], [crop(VOLUMES[0])])
    for name in VOLUMES:
        for ratio in RATIOS:
            yield _gain(name, ratio, effort)


def _gain(name: str, ratio: float, effort: int) -> Gain:
    volume = crop(name)
    alone = inspect(TINCCodec(ratio=ratio, effort=COEFFICIENTS_ALONE).encode(volume))
    start = time.perf_counter()
    stream = TINCCodec(ratio=ratio, effort=effort).encode(volume)
    seconds = time.perf_counter() - start
    reached = inspect(stream)
    assert alone.quality is not None
    assert reached.quality is not None
    share = sum(reached.sections.get(section, 0) for section in _NETWORKS) / len(stream)
    return Gain(name, ratio, effort, alone.quality.psnr, reached.quality.psnr, share, seconds)
