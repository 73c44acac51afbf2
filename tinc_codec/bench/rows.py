"""One measured run of one codec on one volume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from tinc_codec import metrics


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


def as_json(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows as JSON objects."""
    return [{key: None if value == math.inf else value for key, value in asdict(row).items()} for row in rows]
