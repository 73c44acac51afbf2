"""Codecs of images as peers: each plane along the first axis is one of 16 bits, over the whole volume's range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.bench.peers import Encoded, UnsuitableError, as_stored, imagecodecs_module

_STEPS = 2**16 - 1


@dataclass(frozen=True)
class Planes:
    """JPEG 2000 or JPEG XL.

    Parameters
    ----------
    name
        Of the codec.
    function
        imagecodecs' name of it.
    settings
        Arguments of its encoder for a level and the shape of a plane.
    finest, coarsest
        Levels.
    """

    name: str
    function: str
    settings: Callable[[float, tuple[int, ...]], dict[str, Any]]
    finest: float
    coarsest: float
    whole: bool = False

    def encode(self, volume: NDArray[Any], level: float) -> Encoded:
        """See `tinc_codec.bench.peers.Peer`; the size is that of the images."""
        planes = np.rint(to_unit(as_planes(volume)) * _STEPS).astype(np.uint16)
        encode = getattr(imagecodecs_module(), f"{self.function}_encode")
        settings = self.settings(level, planes.shape[1:])
        images = [bytes(encode(np.ascontiguousarray(plane), **settings)) for plane in planes]
        return Encoded(sum(map(len, images)), images)

    def decode(self, data: list[bytes], like: NDArray[Any]) -> NDArray[Any]:
        """See `tinc_codec.bench.peers.Peer`."""
        decode = getattr(imagecodecs_module(), f"{self.function}_decode")
        planes = np.stack([decode(image) for image in data])
        return as_stored(from_unit(planes / _STEPS, like), like)


def as_planes(volume: NDArray[Any]) -> NDArray[Any]:
    """A volume of two axes or more as planes along one.

    Raises
    ------
    UnsuitableError
        It has no planes.
    """
    if volume.ndim < 2:
        raise UnsuitableError("it codes images, and the data have one axis")
    return volume.reshape(-1, *volume.shape[-2:])


def to_unit(volume: NDArray[Any]) -> NDArray[np.float64]:
    """Samples over their range, from 0 to 1."""
    low, high = float(volume.min()), float(volume.max())
    scaled: NDArray[np.float64] = (volume.astype(np.float64) - low) / max(high - low, 1e-300)
    return scaled


def from_unit(values: NDArray[Any], like: NDArray[Any]) -> NDArray[np.float64]:
    """Samples in the range of the volume that they were made of."""
    low, high = float(like.min()), float(like.max())
    scaled: NDArray[np.float64] = values.astype(np.float64) * (high - low) + low
    return scaled


def _jpeg2000(level: float, shape: tuple[int, ...]) -> dict[str, Any]:
    resolutions = 6 if min(shape) >= 64 else 4
    return {"level": -level, "reversible": False, "codecformat": "J2K", "resolutions": resolutions}


def _jpegxl(level: float, _: tuple[int, ...]) -> dict[str, Any]:
    return {"distance": 2.0 ** (level / 10), "lossless": False, "effort": 7}


JPEG2000 = Planes("JPEG 2000", "jpeg2k", _jpeg2000, -120, -5)
"""The level is the negative of a PSNR in dB."""

JPEGXL = Planes("JPEG XL", "jpegxl", _jpegxl, -50, 46, whole=True)
"""The level is ten times log2 of a distance; it is slow, and needs fewer trials so."""
