"""The codec as Zarr format 3 knows it: a serializer; and the arguments that put it into the right slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.codec import ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin
from zarr.core.buffer import Buffer, NDBuffer, gpu
from zarr.core.common import JSON, parse_named_configuration
from zarr.storage import LocalStore, MemoryStore, StorePath

from tinc_codec.config import Config
from tinc_codec.decoding import decode as decoding
from tinc_codec.decoding.cache import chunks
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.levels import READ_ONLY
from tinc_codec.encoding.prepared import check_dtype
from tinc_codec.errors import ConfigurationError, UnsupportedDataError
from tinc_codec.hosts import decode_pool as readers
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.rewriting import Notice, encode_again, remember
from tinc_codec.hosts.stored import NAME, is_compressed, stored_chunks, streams_of
from tinc_codec.runtime.settings import process
from tinc_codec.runtime.threads import turn
from tinc_codec.stream.limits import Expected

if TYPE_CHECKING:
    from zarr.abc.store import ByteGetter
    from zarr.core.array_spec import ArraySpec
    from zarr.core.indexing import SelectorTuple

__all__ = [
    "NAME",
    "TINCSerializer",
    "is_compressed",
    "losslessly",
    "stored_chunks",
    "streams_of",
    "zarr_kwargs",
]


@dataclass(frozen=True)
class TINCSerializer(ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin):
    """Array-to-bytes codec of Zarr format 3; `zarr_kwargs` makes the arguments that use it.

    Parameters
    ----------
    config
        The settings, see `tinc_codec.config.Config`.
    level
        Chunks are read at this level of each axis, and cannot be written; see `tinc_codec.hosts.multiscale`. Empty:
        as they are. Never stored.
    """

    config: Config = field(default_factory=Config)
    level: tuple[int, ...] = ()
    _notice: Notice = field(default_factory=Notice, init=False, repr=False, compare=False)

    is_fixed_size = False
    # zarr's synchronous sharding (3.4) decodes chunks whole, its asynchronous one asks for the part that it needs: with
    # this, the fused pipeline takes the latter
    _sync_capable = False

    @classmethod
    def from_dict(cls, data: dict[str, JSON]) -> Self:
        """Make a serializer from array metadata; the configuration may be missing."""
        configuration = data.get("configuration")
        parse_named_configuration({"name": data.get("name")}, NAME, require_configuration=False)
        return cls(Config.from_json({} if configuration is None else configuration))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, JSON]:
        """As array metadata."""
        return {"name": NAME, "configuration": self.config.to_json()}

    @property
    def codec(self) -> TINCCodec:
        """The codec that does the work."""
        return TINCCodec.from_settings(self.config)

    def validate(self, *, shape: Any, dtype: Any, chunk_grid: Any) -> None:
        """Raise `UnsupportedDataError` unless arrays of `dtype` can be stored."""
        check_dtype(np.dtype(dtype.to_native_dtype()))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Not known before encoding."""
        raise NotImplementedError

    def _encode_sync(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        if self.level:
            raise UnsupportedDataError(READ_ONLY)
        # zarr keeps the byte order in other codecs' metadata: the stream is to say what the array's dtype says
        array = np.asanyarray(chunk_array.as_numpy_array(), order="C")
        _check_given(array, chunk_spec)
        return chunk_spec.prototype.buffer.from_bytes(encode_again(array, self.config, self._notice))

    def _decode_sync(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        if any(self.level):
            coarse: NDBuffer = self._prepared(lambda: chunk_bytes, None, chunk_spec)()
            return coarse
        stream = chunk_bytes.to_bytes()
        chunk = Chunk.of(stream, self._expected(chunk_spec))
        with nullcontext() if chunk.header.lossless else turn():
            if on_gpu(chunk_spec):
                return _from_gpu(chunk, chunk_spec)
            samples = remember(chunk.restored(), stream, self.config)
            return _as_specified(samples, chunk_spec)

    def _prepared(self, stored: Callable[[], Buffer | None], selection: Any, spec: ArraySpec) -> Callable[[], Any]:
        """Read and parse a chunk: what decodes a part of it, or (None) all of it, at the level; None: no chunk."""
        chunk_bytes = stored()
        if chunk_bytes is None:
            return lambda: None
        stream = chunk_bytes.to_bytes()
        chunk = chunks.find(stream, self._expected(spec))
        return partial(self._decode_part, stream, chunk.parse(), selection, spec)

    def _decode_part(self, stream: bytes, chunk: Chunk, selection: Any, spec: ArraySpec) -> NDBuffer:
        samples = _as_specified(decoding.read(chunk, selection, level=self.level or 0), spec)
        chunks.keep(stream, chunk)
        return samples

    def _expected(self, chunk_spec: ArraySpec) -> Expected:
        """What the array's metadata say of its chunks."""
        dtype = np.dtype(chunk_spec.dtype.to_native_dtype())
        return Expected(shape=tuple(chunk_spec.shape), dtype=dtype, level=self.level)

    async def _encode_single(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> Buffer | None:
        return await asyncio.to_thread(self._encode_sync, chunk_array, chunk_spec)

    async def _decode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        return await readers.alone(self._decode_sync, chunk_bytes, chunk_spec)

    async def _decode_partial_single(
        self, byte_getter: ByteGetter, selection: SelectorTuple, chunk_spec: ArraySpec
    ) -> NDBuffer | None:
        if not any(self.level) and _is_all(selection, tuple(chunk_spec.shape)):
            chunk_bytes = await byte_getter.get(prototype=chunk_spec.prototype)
            return None if chunk_bytes is None else await self._decode_single(chunk_bytes, chunk_spec)
        if at_once(byte_getter):
            store, path = byte_getter.store, byte_getter.path  # type: ignore[attr-defined]
            stored = partial(store.get_sync, path, prototype=chunk_spec.prototype)
        else:
            chunk_bytes = await byte_getter.get(prototype=chunk_spec.prototype)
            stored = partial(_itself, chunk_bytes)
        return await readers.together(partial(self._prepared, stored, selection, chunk_spec))


def _check_given(array: NDArray[Any], spec: ArraySpec) -> None:
    """Raise `UnsupportedDataError` where a filter hands over something else than its metadata say."""
    dtype = np.dtype(spec.dtype.to_native_dtype())
    if array.shape != tuple(spec.shape) or array.dtype.newbyteorder("=") != dtype.newbyteorder("="):
        raise UnsupportedDataError(
            f"a filter before TINC gives {array.dtype} of shape {array.shape}, where its metadata say {dtype} of shape "
            f"{tuple(spec.shape)}: such a chunk could not be read; make the array without filters, as zarr_kwargs does "
            "(TINC takes the array itself), or with 'transpose' alone"
        )


def _itself(chunk_bytes: Buffer | None) -> Buffer | None:
    return chunk_bytes


def at_once(byte_getter: Any) -> bool:
    """Whether the thread that decodes can read, too, which spares a change of threads (zarr 3.1.6 and later)."""
    kind: Any = type(getattr(byte_getter, "store", None))
    return isinstance(byte_getter, StorePath) and _reads_at_once(kind)


@cache
def _reads_at_once(store: Any) -> bool:
    """Whether stores of a class are zarr's own of files or in memory, or read as those do."""
    reads = next((owner for owner in store.__mro__ if "get" in vars(owner)), None)
    return reads in (LocalStore, MemoryStore) and "get_sync" in vars(reads)


def _is_all(selection: Any, shape: tuple[int, ...]) -> bool:
    """Whether a selection is of all of a chunk, in order."""
    items = selection if isinstance(selection, tuple) else (selection,)
    return len(items) == len(shape) and all(
        isinstance(item, slice) and item.indices(n) == (0, n, 1) for item, n in zip(items, shape, strict=True)
    )


def on_gpu(chunk_spec: ArraySpec) -> bool:
    """Whether chunks are wanted as cupy arrays (``zarr.config.enable_gpu``)."""
    return issubclass(chunk_spec.prototype.nd_buffer, gpu.NDBuffer)


def _from_gpu(chunk: Chunk, chunk_spec: ArraySpec) -> NDBuffer:
    """A whole chunk that is decoded on the GPU and stays there."""
    import cupy

    from tinc_codec.backends.torch.inference import find_device
    from tinc_codec.decoding.tensors import to_tensor

    named = process().device
    tensor = to_tensor(chunk, find_device("cuda" if named in ("auto", "cpu") else named))
    decoded = cupy.from_dlpack(tensor).astype(np.dtype(chunk_spec.dtype.to_native_dtype()), copy=False)
    return chunk_spec.prototype.nd_buffer.from_ndarray_like(decoded)


def _as_specified(decoded: NDArray[Any], chunk_spec: ArraySpec) -> NDBuffer:
    """Samples in the array's byte order, and in the memory that it is read into."""
    dtype = np.dtype(chunk_spec.dtype.to_native_dtype())
    return chunk_spec.prototype.nd_buffer.from_numpy_array(decoded.astype(dtype, copy=False))


def zarr_kwargs(codec: TINCCodec, *, zarr_format: Literal[2, 3] = 3, dtype: Any = None) -> dict[str, Any]:
    """Arguments for ``zarr.create_array`` that make chunks be compressed by `codec`, and by nothing after it.

    Parameters
    ----------
    codec
        The codec.
    zarr_format
        2: the codec is the compressor. 3: it is the serializer, and the compressor that zarr would add is left out.

    dtype
        Of the array, to be checked; it is none of the arguments returned. Format 3 checks it when the array is made. In
        format 2 Zarr tells a codec nothing of the array, so that without this the first write is refused.

    Returns
    -------
    dict
        ``zarr_format``, and the slots that this format has.

    Raises
    ------
    ConfigurationError
        `codec` is none, or there is no such format.
    UnsupportedDataError
        Arrays of `dtype` cannot be stored.

    Examples
    --------
    >>> arguments = zarr_kwargs(TINCCodec(ratio=64))
    >>> zarr.create_array("a.zarr", data=volume, chunks=(64, 64, 64), **arguments)  # doctest: +SKIP
    """
    if not isinstance(codec, TINCCodec):
        raise ConfigurationError(f"codec={codec!r} must be a TINCCodec, as in zarr_kwargs(TINCCodec(ratio=64))")
    if dtype is not None:
        check_dtype(np.dtype(dtype))
    if zarr_format == 2:  # a codec object of its own for each array, which warns for that array
        return {"zarr_format": 2, "compressors": TINCCodec.from_settings(codec.config), "filters": None}
    if zarr_format == 3:
        return {"zarr_format": 3, "serializer": TINCSerializer(codec.config), "compressors": None, "filters": None}
    raise ConfigurationError(f"zarr_format={zarr_format!r} must be 2 or 3")


def losslessly(array: zarr.Array[Any]) -> zarr.Array[Any]:
    """The same array, whose chunks are written losslessly from here on; its stored metadata stay as they are."""
    lossless = {"ratio": None, "psnr": None, "max_error": 0.0}

    def changed(part: Any) -> Any:
        if isinstance(part, Mapping):
            inner = {key: changed(value) for key, value in part.items()}
            ours = part.get("id") == TINCCodec.codec_id or part.get("name") == NAME
            settings = inner if "id" in part else inner.get("configuration", {})
            if ours:
                settings.update(lossless)
            return inner
        return type(part)(map(changed, part)) if isinstance(part, list | tuple) else part

    document = changed({k: v for k, v in array.metadata.to_dict().items() if k != "attributes"})
    return zarr.Array(zarr.AsyncArray(document, array.store_path))
