"""Coefficients alone, at ratios, on the benchmark crops: one JSON object a line.

``python -m tinc_codec.bench.detail 32,64 brain64,fibsem``; without arguments all crops at 64.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.backends.choice import backend
from tinc_codec.bench.crops import BENCHMARK, crop
from tinc_codec.detail import fill, mask
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Budget, encode

_HOLE = 0.25
"""Share of a budget that the mask of zeros may take, for them to be left out."""


def _attempts(volume: NDArray[Any], size: int) -> Iterator[tuple[bytes, bytes, NDArray[np.bool_] | None]]:
    """The section, and that of what is left where zeros are a hole."""
    work = backend().detail
    yield encode(volume, Budget(size), work), b"", None
    hole = volume == 0
    stored = mask.pack(hole) if hole.any() else b""
    if stored and len(stored) < _HOLE * size:
        filled = fill.fill(volume.astype(np.float64), hole)
        yield encode(filled, Budget(size - len(stored)), work), stored, hole


def measure(name: str, ratio: float) -> dict[str, Any]:
    """One crop at one ratio: the better of with and without a hole."""
    volume = crop(name)
    low, high = float(volume.min()), float(volume.max())
    best: dict[str, Any] = {"psnr": -np.inf}
    start = time.perf_counter()
    for section, stored, hole in _attempts(volume, int(volume.nbytes / ratio)):
        detail, encoded = Detail.parse(section, volume.shape, backend().detail), time.perf_counter()
        decoded = detail.samples(detail.whole())
        decoding, decoded = time.perf_counter() - encoded, np.clip(decoded, low, high)
        decoded = np.rint(decoded) if volume.dtype.kind in "iu" else decoded
        psnr = metrics.psnr(volume, decoded if hole is None else np.where(hole, 0, decoded), high - low)
        row = {"psnr": round(psnr, 3), "bytes": len(section) + len(stored), "hole": hole is not None}
        times = {"encode_seconds": round(encoded - start, 3), "decode_seconds": round(decoding, 3)}
        best = max(best, {**row, **times, "plan": detail.describe()["groups"]}, key=lambda each: each["psnr"])
        start = time.perf_counter()
    return {"crop": name, "ratio": ratio, "budget": int(volume.nbytes / ratio), **best}


def main(arguments: list[str]) -> None:
    """Measure the ratios and crops of the command line."""
    ratios = [float(ratio) for ratio in (arguments[0] if arguments else "64").split(",")]
    for name in arguments[1].split(",") if len(arguments) > 1 else BENCHMARK:
        for ratio in ratios:
            print(json.dumps(measure(name, ratio)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
