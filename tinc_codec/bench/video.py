"""Video codecs as peers, by PyAV: planes along the first axis are the frames of a grey film."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.bench.peers import Encoded, as_stored
from tinc_codec.bench.planes import as_planes, from_unit, to_unit
from tinc_codec.errors import MissingDependencyError

_BLOCK = 8
"""Frames are padded, with their last samples, to multiples of so many."""

_GREY = 512
"""What stands in the planes of colours, of 10 bits."""


@dataclass(frozen=True)
class Video:
    """A codec, at settings that are slow enough to be fair; the level is four times its constant rate factor.

    Parameters
    ----------
    name
        Of the codec.
    encoder
        FFmpeg's name of it.
    pixels
        FFmpeg's name of the pixel format; its first plane is the luminance.
    bits
        Of a sample.
    options
        Of the encoder; ``{}`` stands for the factor.
    finest, coarsest
        Four times the smallest and the largest factor: it has steps of a quarter.
    """

    name: str
    encoder: str
    pixels: str
    bits: int
    options: tuple[tuple[str, str], ...]
    finest: float
    coarsest: float
    whole: bool = True

    def encode(self, volume: NDArray[Any], level: float) -> Encoded:
        """See `tinc_codec.bench.peers.Peer`; the size is that of the packets."""
        av, film, size = _av(), io.BytesIO(), 0
        planes = np.rint(to_unit(as_planes(volume)) * (2**self.bits - 1)).astype("<u2")
        planes = np.pad(planes, [(0, 0), *((0, -n % _BLOCK) for n in planes.shape[1:])], mode="edge")
        options = {key: text.format(level / 4) for key, text in self.options}
        with av.open(film, "w", format="matroska") as container:
            stream = container.add_stream(self.encoder, rate=25, options=options)
            stream.height, stream.width = planes.shape[1:]
            stream.pix_fmt = self.pixels
            for plane in (*planes, None):
                for packet in stream.encode(None if plane is None else self._frame(av, plane)):
                    size += packet.size
                    container.mux(packet)
        return Encoded(size, film.getvalue())

    def decode(self, data: bytes, like: NDArray[Any]) -> NDArray[Any]:
        """See `tinc_codec.bench.peers.Peer`."""
        height, width = like.shape[-2:]
        planes = []
        with _av().open(io.BytesIO(data)) as container:
            for frame in container.decode(video=0):
                rows = np.frombuffer(bytes(frame.planes[0]), "<u2").reshape(frame.height, -1)
                planes.append(rows[:height, :width])
        return as_stored(from_unit(np.stack(planes) / (2**self.bits - 1), like), like)

    def _frame(self, av: ModuleType, luminance: NDArray[Any]) -> Any:
        frame = av.VideoFrame(luminance.shape[1], luminance.shape[0], self.pixels)
        for number, plane in enumerate(frame.planes):
            rows = np.full((plane.height, plane.line_size // 2), _GREY, "<u2")
            if number == 0:
                rows[:, : luminance.shape[1]] = luminance
            plane.update(rows.tobytes())
        return frame


HEVC = Video(
    "HEVC",
    "libx265",
    "gray12le",
    12,
    (("preset", "slow"), ("x265-params", "crf={}:log-level=error:keyint=1000:bframes=8")),
    -40,
    204,
)
AV1 = Video(
    "AV1",
    "libsvtav1",
    "yuv420p10le",
    10,
    (("preset", "6"), ("svtav1-params", "keyint=300:crf={}")),
    4,
    252,
)
VIDEOS = (HEVC, AV1)


def _av() -> ModuleType:
    os.environ.setdefault("SVT_LOG", "0")  # else its settings are printed for every film
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError("it needs PyAV: pip install 'tinc-codec[bench]'") from error
    module: ModuleType = av  # typed or not, as it is installed or not
    return module
