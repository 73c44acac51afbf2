"""One measured run of one codec on one volume."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.runtime.documents import finite


@dataclass(frozen=True)
class Row:
    """One codec on one crop: sizes in bytes, times in seconds, PSNR in dB over the crop's own range."""

    crop: str
    codec: str
    setting: str
    raw_bytes: int
    stored_bytes: int
    ratio: float
    psnr: float
    ssim: float
    max_error: float
    encode_seconds: float
    decode_seconds: float

    @property
    def line(self) -> str:
        """For the terminal."""
        return (
            f"{self.crop:13} {self.codec:7} {self.stored_bytes:9,} {self.ratio:7.1f}x {self.psnr:7.2f} dB  "
            f"SSIM {self.ssim:.4f}  largest error {self.max_error:9.4g}  {self.encode_seconds:6.1f} s, "
            f"{self.decode_seconds:6.3f} s  {self.setting}"
        )

    def as_json(self) -> dict[str, Any]:
        """As a JSON object, which knows no infinity."""
        document: dict[str, Any] = finite(asdict(self))
        return document


class Result(Protocol):
    """What a study yields."""

    @property
    def line(self) -> str:
        """For the terminal."""

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""


Run = Callable[[], tuple[int, Any, float]]
"""Gives the size in bytes, the decoded volume, and the seconds that encoding took; the rest was decoding."""


def row(name: str, codec: str, setting: str, volume: NDArray[Any], run: Run) -> Row:
    """Measure one run, which returns the size, the decoded volume and the seconds that encoding took."""
    start = time.perf_counter()
    size, decoded, encoding = run()
    rest = time.perf_counter() - start - encoding
    data_range = float(volume.max()) - float(volume.min())
    psnr, ssim = metrics.psnr(volume, decoded, data_range), metrics.ssim(volume, decoded, data_range)
    error = metrics.max_error(volume, decoded)
    return Row(name, codec, setting, volume.nbytes, size, volume.nbytes / size, psnr, ssim, error, encoding, rest)
