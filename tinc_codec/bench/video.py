"""Video codecs as peers, by PyAV: planes along the first axis are the frames of a grey film."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.bench.rows import Row, row
from tinc_codec.errors import MissingDependencyError

_BLOCK = 8
"""Frames are padded, with their last samples, to multiples of so many."""

_GREY = 512
"""What stands in the planes of colours, of 10 bits."""


@dataclass(frozen=True)
class Video:
    """A codec, at settings that are slow enough to be fair.

    Parameters
    ----------
    encoder
        FFmpeg's name of it.
    pixels
        FFmpeg's name of the pixel format; its first plane is the luminance.
    bits
        Of a sample.
    options
        Of the encoder; ``{}`` stands for its constant rate factor.
    coarsest
        The largest factor.
    """

    encoder: str
    pixels: str
    bits: int
    options: tuple[tuple[str, str], ...]
    coarsest: int

    def encode(self, volume: NDArray[Any], factor: int) -> tuple[int, bytes]:
        """Bytes that the packets of a volume of three axes take, and the film that they are in."""
        av, film, size = _av(), io.BytesIO(), 0
        planes = np.rint(_unit(volume) * (2**self.bits - 1)).astype("<u2")
        planes = np.pad(planes, [(0, 0), *((0, -n % _BLOCK) for n in planes.shape[1:])], mode="edge")
        options = {key: text.format(factor) for key, text in self.options}
        with av.open(film, "w", format="matroska") as container:
            stream = container.add_stream(self.encoder, rate=25, options=options)
            stream.height, stream.width = planes.shape[1:]
            stream.pix_fmt = self.pixels
            for plane in (*planes, None):
                for packet in stream.encode(None if plane is None else self._frame(av, plane)):
                    size += packet.size
                    container.mux(packet)
        return size, film.getvalue()

    def decode(self, film: bytes, like: NDArray[Any]) -> NDArray[Any]:
        """The volume of a film, in the dtype and range of the one that it was made of."""
        planes = []
        with _av().open(io.BytesIO(film)) as container:
            for frame in container.decode(video=0):
                rows = np.frombuffer(bytes(frame.planes[0]), "<u2").reshape(frame.height, -1)
                planes.append(rows[: like.shape[1], : like.shape[2]])
        low, high = float(like.min()), float(like.max())
        values = np.stack(planes) / (2**self.bits - 1) * (high - low) + low
        return np.asarray(np.rint(values) if like.dtype.kind in "iu" else values, like.dtype)

    def _frame(self, av: ModuleType, luminance: NDArray[Any]) -> Any:
        frame = av.VideoFrame(luminance.shape[1], luminance.shape[0], self.pixels)
        for number, plane in enumerate(frame.planes):
            rows = np.full((plane.height, plane.line_size // 2), _GREY, "<u2")
            if number == 0:
                rows[:, : luminance.shape[1]] = luminance
            plane.update(rows.tobytes())
        return frame


VIDEOS = {
    "hevc": Video(
        "libx265",
        "gray12le",
        12,
        (("preset", "slow"), ("x265-params", "crf={}:log-level=error:keyint=1000:bframes=8")),
        51,
    ),
    "av1": Video("libsvtav1", "yuv420p10le", 10, (("preset", "6"), ("crf", "{}"), ("svtav1-params", "keyint=300")), 63),
}


def videos_at_ratio(name: str, volume: NDArray[Any], ratio: float) -> Iterator[Row]:
    """HEVC and AV1 of a volume of three axes, each at its finest factor that stays within a ratio."""
    for codec, video in VIDEOS.items():
        factor = _finest(video, volume, volume.nbytes / ratio)
        if factor is None:
            continue

        def run(video: Video = video, factor: int = factor) -> tuple[int, Any, float]:
            start = time.perf_counter()
            size, film = video.encode(volume, factor)
            seconds = time.perf_counter() - start
            return size, video.decode(film, volume), seconds

        yield row(name, codec, f"ratio {ratio:g}", volume, run)


def _finest(video: Video, volume: NDArray[Any], budget: float) -> int | None:
    """The finest factor whose bytes stay within a budget; None where none does."""
    fine, coarse = 1, video.coarsest + 1
    while fine < coarse:
        middle = (fine + coarse) // 2
        if middle > video.coarsest or video.encode(volume, middle)[0] <= budget:
            coarse = middle
        else:
            fine = middle + 1
    return coarse if coarse <= video.coarsest else None


def _unit(volume: NDArray[Any]) -> NDArray[np.float64]:
    low, high = float(volume.min()), float(volume.max())
    scaled: NDArray[np.float64] = (volume.astype(np.float64) - low) / max(high - low, 1e-300)
    return scaled


def _av() -> ModuleType:
    os.environ.setdefault("SVT_LOG", "0")  # else its settings are printed for every film
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError("HEVC and AV1 need PyAV: pip install 'tinc-codec[bench]'") from error
    module: ModuleType = av  # typed or not, as it is installed or not
    return module
