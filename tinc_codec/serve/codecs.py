"""How chunks are encoded that are served: as every reader of Zarr decodes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numcodecs import Blosc
from numpy.typing import NDArray

from tinc_codec.errors import ConfigurationError

CODECS = ("blosc", "raw")

_LEVEL = 1
"""Of zstd in Blosc: on a network nearer than 100 MB/s a higher one takes longer than it spares."""


@dataclass(frozen=True)
class ServedCodec:
    """One of `CODECS`: Blosc with zstd and shuffled bytes, or the samples as they are.

    Raises
    ------
    ConfigurationError
        There is no codec of this name.
    """

    name: str = "blosc"

    def __post_init__(self) -> None:
        if self.name not in CODECS:
            raise ConfigurationError(f"codec={self.name!r} is not known; known are {', '.join(CODECS)}")

    def in_format_2(self) -> dict[str, Any] | None:
        """As an array's ``compressor``."""
        return Blosc("zstd", _LEVEL, Blosc.SHUFFLE).get_config() if self.name == "blosc" else None

    def in_format_3(self, itemsize: int) -> list[dict[str, Any]]:
        """As an array's ``codecs``; samples are little-endian."""
        codecs: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": "little"}}]
        if self.name == "blosc":
            shuffle = "shuffle" if itemsize > 1 else "noshuffle"
            settings = {"cname": "zstd", "clevel": _LEVEL, "shuffle": shuffle, "typesize": itemsize, "blocksize": 0}
            codecs.append({"name": "blosc", "configuration": settings})
        return codecs

    def encode(self, samples: NDArray[Any], dtype: np.dtype[Any], order: str) -> bytes:
        """A chunk as it is served.

        Parameters
        ----------
        samples
            All of the chunk.
        dtype
            With the byte order that metadata name.
        order
            ``"C"`` or ``"F"``: of the samples in memory.
        """
        stored = np.asarray(samples, dtype).tobytes("F" if order == "F" else "C")
        if self.name == "raw":
            return stored
        shuffle = Blosc.SHUFFLE if dtype.itemsize > 1 else Blosc.NOSHUFFLE
        return bytes(Blosc("zstd", _LEVEL, shuffle).encode(np.frombuffer(stored, f"u{dtype.itemsize}")))
