"""`TINCCodec`: the codec as numcodecs knows it, for Zarr format 2 and for direct use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_bytes
from numpy.typing import NDArray

from tinc_codec.config import Config, LaterConfig
from tinc_codec.decoding import decode as decoding
from tinc_codec.errors import UnsupportedDataError
from tinc_codec.hosts.rewriting import Notice, encode_again, remember
from tinc_codec.stream.limits import Expected

_DEFAULT = Config()


class TINCCodec(Codec):  # type: ignore[misc]  # numcodecs is not typed
    """Compress each chunk as a tree: coefficients, under small sine networks where these pay (TINC, CVPR 2023).

    The codec is lossy, unless ``max_error=0`` is asked for. Reading an array needs nothing but this package, and none
    of these settings; networks need torch to be trained (``pip install 'tinc-codec[torch]'``). Where that runs is a
    matter of the process: see `tinc_codec.runtime.settings.Process`.

    Parameters
    ----------
    ratio
        Raw bytes over stored bytes, at least, for every chunk. At most one of `ratio`, `psnr` and `max_error` is
        given; where none is, `ratio` is 64.
    psnr
        dB, at least, of every chunk, over `data_range` or else over the chunk's own range.
    max_error
        Largest absolute error of any voxel, in the data's units; 0 is lossless, for floats bit for bit.
    exact_values
        Values that come back exactly, such as a background or a ``_FillValue``; NaN and infinities always do.
    data_range, levels, inter_level, intra_level, threshold, constant_tolerance, network_share, effort, seed
        See `tinc_codec.config.Config`.

    Raises
    ------
    ConfigurationError
        A setting is unknown or out of range.

    Examples
    --------
    >>> codec = TINCCodec(ratio=64)
    >>> codec.decode(codec.encode(volume))  # doctest: +SKIP
    """

    codec_id = "tinc"

    def __init__(
        self,
        *,
        ratio: float | None = None,
        psnr: float | None = None,
        max_error: float | None = None,
        data_range: float | None = None,
        exact_values: float | tuple[float, ...] | list[float] = (),
        levels: int | Literal["auto"] = _DEFAULT.levels,
        inter_level: str | tuple[float, ...] = _DEFAULT.inter_level,
        intra_level: str = _DEFAULT.intra_level,
        threshold: float | None = _DEFAULT.threshold,
        constant_tolerance: float = _DEFAULT.constant_tolerance,
        network_share: float | Literal["auto"] = _DEFAULT.network_share,
        effort: int = _DEFAULT.effort,
        seed: int = _DEFAULT.seed,
    ) -> None:
        self._notice = Notice()
        self._config = Config(
            ratio=ratio,
            psnr=psnr,
            max_error=max_error,
            data_range=data_range,
            exact_values=exact_values,  # type: ignore[arg-type]  # parsed there
            levels=levels,
            inter_level=inter_level,
            intra_level=intra_level,
            threshold=threshold,
            constant_tolerance=constant_tolerance,
            network_share=network_share,
            effort=effort,
            seed=seed,
        )

    @property
    def config(self) -> Config:
        """The settings."""
        return self._config

    def encode(self, buf: Any) -> bytes:
        """Compress an array.

        Parameters
        ----------
        buf
            Array of integers or floats, C or F order, either byte order. What `decode` gave, changed in part, keeps the
            error that it has elsewhere, see `tinc_codec.hosts.rewriting`.

        Returns
        -------
        bytes
            One self-describing stream.

        Raises
        ------
        ConfigurationError
            The settings were stored by a later version.
        UnsupportedDataError
            The array's dtype cannot be stored, or bytes were given.
        MissingDependencyError
            Networks are asked for by a `network_share`, and torch is not installed.
        """
        if isinstance(buf, bytes | bytearray):
            raise UnsupportedDataError(
                f"{len(buf)} bytes were given: TINC compresses the array itself, so it must come before any codec that "
                "turns arrays into bytes"
            )
        return encode_again(np.asanyarray(buf), self._config, self._notice)

    def decode(self, buf: Any, out: Any = None) -> NDArray[Any]:
        """Decompress a stream.

        Parameters
        ----------
        buf
            What `encode` returned, as bytes or any buffer.
        out
            Array or writable buffer to fill: an array of the same shape with the samples, any other buffer with their
            bytes in the memory order of the array that was encoded.

        Returns
        -------
        ndarray
            Shape, dtype (byte order too) and memory order of the array that was encoded; or `out`.

        Raises
        ------
        CorruptStreamError
            The bytes are truncated, altered, or not a TINC stream, or hold more or less than `out`;
            `NewerVersionError` for a later format version, `LimitError` for a claim that goes too far.
        OutOfMemoryError
            Memory ran out; the process can go on.
        """
        # where the array goes says how large it is; Zarr's format 2 gives no more, and mostly not that
        expected = None if out is None else Expected(memoryview(out).nbytes)
        decoded = self._decoded(bytes(ensure_bytes(buf)), expected)
        if out is None:
            return decoded
        if isinstance(out, np.ndarray) and out.shape == decoded.shape and out.dtype == decoded.dtype:
            np.copyto(out, decoded)
        else:
            memoryview(out).cast("B")[:] = decoded.tobytes(order="A")
        return out  # type: ignore[no-any-return]

    def _decoded(self, stream: bytes, expected: Expected | None) -> NDArray[Any]:
        return remember(decoding.decode(stream, expected=expected), stream, self._config)

    def get_config(self) -> dict[str, Any]:
        """As a JSON object, the identifier among it."""
        return {"id": self.codec_id, **self._config.to_json()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TINCCodec:
        """Make a codec from stored settings; those that this version does not know are kept, and stop it from writing.

        Raises
        ------
        ConfigurationError
            `config` is not a JSON object.
        """
        return cls.from_settings(Config.from_json(config))

    @classmethod
    def from_settings(cls, config: Config) -> TINCCodec:
        """Make a codec from settings that are already parsed."""
        codec = cls()
        codec._config = config
        return codec

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TINCCodec) and self._config == other._config

    def __hash__(self) -> int:
        return hash((self.codec_id, self._config))

    def __repr__(self) -> str:
        if isinstance(self._config, LaterConfig):
            return f"TINCCodec.from_config({self._config.stored})"
        changed = {
            key: value
            for key, value in vars(self._config).items()
            if (value != getattr(_DEFAULT, key) and value is not None) or (key == "ratio" and value is not None)
        }
        return f"TINCCodec({', '.join(f'{key}={value!r}' for key, value in changed.items())})"
