"""What each effort buys: decibels at a ratio, and the time that they take."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from tinc_codec.bench.crops import BENCHMARK, crop
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.coefficients import COEFFICIENTS_ALONE
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.warm_up import warm_up

RATIO = 64.0
_REPEATS = 5
"""Times that a chunk is encoded by coefficients alone, of which the median is taken; with networks once."""


@dataclass(frozen=True)
class Point:
    """A point of one crop's curve.

    Parameters
    ----------
    psnr
        In dB over the crop's own range, at a ratio of `RATIO`.
    seconds
        That encoding took.
    megabytes
        Of the crop, raw.
    """

    crop: str
    effort: int
    psnr: float
    seconds: float
    megabytes: float

    @property
    def line(self) -> str:
        """For the terminal."""
        speed = self.megabytes / self.seconds
        return f"{self.crop:13} effort {self.effort}  {self.psnr:6.2f} dB  {self.seconds:7.2f} s  {speed:6.2f} MB/s"

    def as_json(self) -> dict[str, Any]:
        """As a JSON object, which knows no infinity."""
        return {key: None if value == math.inf else value for key, value in asdict(self).items()}


def curves(last: int) -> Iterator[Point]:
    """Every crop at efforts from 1 to the `last`."""
    for name in BENCHMARK:
        volume = crop(name)
        codecs = [TINCCodec(ratio=RATIO, effort=effort) for effort in range(1, last + 1)]
        warm_up(codecs[-1:], [volume])
        for effort, codec in enumerate(codecs, start=1):
            seconds = []
            for _ in range(_REPEATS if effort <= COEFFICIENTS_ALONE else 1):
                start = time.perf_counter()
                stream = codec.encode(volume)
                seconds.append(time.perf_counter() - start)
            quality = inspect(stream).quality
            assert quality is not None
            yield Point(name, effort, quality.psnr, statistics.median(seconds), volume.nbytes / 1e6)
