"""A chunk to encode: checked, in native byte order and C order, with what it was noted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinc_codec.backends.choice import backend
from tinc_codec.config import Config
from tinc_codec.detail import exact_in_context
from tinc_codec.detail.fill import fill
from tinc_codec.encoding.kept import exact_samples
from tinc_codec.errors import UnsupportedDataError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.threads import spread
from tinc_codec.stream import crop, exact
from tinc_codec.stream.container import LARGEST_CHUNK, LARGEST_RANK, Header, ModelKind, Section, supported
from tinc_codec.tree.partition import fold


@dataclass(frozen=True, eq=False)
class PreparedChunk:
    """A chunk to encode.

    Parameters
    ----------
    header
        Shape, dtype and order as given.
    values
        The samples, native byte order, C order, folded shape, without the planes that are left out.
    counted
        Which samples may be off, as far as was asked; None: all. The others must come back exactly.
    modelled
        Which samples the model is for; the others are stored exactly, some of them perhaps because that is cheap.
        None: all.
    kept
        Shape of `values` before folding.
    outside
        What the planes hold that are left out, where `kept` is not the header's shape; bits of a scalar.
    config
        What is asked for.
    """

    header: Header
    values: NDArray[Any]
    counted: NDArray[np.bool_] | None
    modelled: NDArray[np.bool_] | None
    kept: tuple[int, ...]
    outside: NDArray[Any]
    config: Config

    @property
    def nothing_to_model(self) -> bool:
        """Whether every sample must come back exactly."""
        return not self.values.size or (self.counted is not None and not self.counted.any())

    def without(self, hole: NDArray[np.bool_]) -> PreparedChunk:
        """The same chunk with more samples stored exactly: some of those that are counted, not all."""
        return replace(self, modelled=~hole if self.modelled is None else self.modelled & ~hole)

    def counting(self, volume: NDArray[Any]) -> NDArray[Any]:
        """What of `volume`, shaped like `values`, may be off."""
        return volume if self.counted is None else volume[self.counted]

    def for_model(self, volume: NDArray[Any]) -> NDArray[Any]:
        """What of `volume`, shaped like `values`, the model is for."""
        return volume if self.modelled is None else volume[self.modelled]

    @property
    def cropped(self) -> dict[int, bytes]:
        """The section that tells what was left out, where something was."""
        return {} if self.kept == self.header.shape else {Section.CROP: crop.pack(self.kept, self.outside)}

    @lazy
    def kept_exactly(self) -> dict[int, bytes]:
        """The section of the samples that are stored exactly, where there are any: the shorter of its two forms."""
        if self.modelled is None:
            return {}
        places, forms = ~self.modelled, dict[int, bytes]()
        packers: dict[int, Callable[[], bytes]] = {
            Section.EXACT: lambda: exact.pack(self.values, places),
            Section.EXACT_IN_CONTEXT: lambda: exact_in_context.pack(self.values, places, backend().detail),
        }

        def packed(kind: int) -> None:
            forms[kind] = packers[kind]()

        spread(packed, list(packers))
        shortest = min(packers, key=lambda kind: len(forms[kind]))
        return {shortest: forms[shortest]}

    def corrections(self, decoded: NDArray[Any]) -> dict[int, bytes]:
        """The section that takes back exact values from samples that do not have them, where there are any."""
        wrong = exact_samples(decoded, self.config)
        wrong = wrong if self.modelled is None else wrong & self.modelled
        return {Section.CORRECTIONS: exact.pack(self.values, wrong)} if wrong.any() else {}

    @lazy
    def low(self) -> Any:
        """Smallest sample that may be off."""
        return self.counting(self.values).min()

    @lazy
    def high(self) -> Any:
        """Largest sample that may be off."""
        return self.counting(self.values).max()

    @lazy
    def filled(self) -> NDArray[Any]:
        """The samples, with one of the middle in the places that are stored exactly."""
        if self.modelled is None:
            return self.values
        known = self.for_model(self.values)
        return np.where(self.modelled, self.values, np.partition(known, len(known) // 2)[len(known) // 2])

    @lazy
    def smooth(self) -> NDArray[np.float64]:
        """The samples, continued smoothly into the places that are stored exactly."""
        if self.modelled is None:
            return self.values.astype(np.float64)
        return fill(self.filled.astype(np.float64), ~self.modelled, backend().detail)

    def smooth_rest(self, predicted: NDArray[Any]) -> NDArray[np.float64]:
        """What `predicted` samples leave of the samples, continued in the same way."""
        rest = self.filled.astype(np.float64) - predicted
        return rest if self.modelled is None else fill(rest, ~self.modelled, backend().detail)

    @lazy
    def exponent(self) -> int:
        """Exponent e such that samples over 2^e are below 1 in magnitude, so that no square overflows."""
        return math.frexp(max(abs(float(self.low)), abs(float(self.high))))[1]

    @lazy
    def volume(self) -> NDArray[np.float64]:
        """The samples over 2^exponent."""
        return np.asarray(np.ldexp(self.filled.astype(np.float64), -self.exponent))


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Raise `UnsupportedDataError` unless samples of `dtype` can be stored."""
    if not supported(dtype):
        raise UnsupportedDataError(
            f"dtype {dtype} is not supported: give integers of 8 to 64 bits or floats of 16 to 64 bits"
            + {"b": " (view booleans as uint8)", "c": " (store real and imaginary parts as an axis)"}.get(
                dtype.kind, ""
            )
            + (" (view times as int64)" if dtype.kind in "mM" else "")
        )


def prepare(array: ArrayLike, config: Config) -> PreparedChunk:
    """Check and normalise what was given; nothing is written in place.

    Parameters
    ----------
    array
        Integers or floats.
    config
        What is asked for.

    Raises
    ------
    UnsupportedDataError
        The dtype, the number of axes or the size is not one that can be stored.
    """
    given = np.asarray(array)
    check_dtype(given.dtype)
    if given.ndim > LARGEST_RANK or max(given.nbytes, *given.shape, 0) > LARGEST_CHUNK:
        raise UnsupportedDataError(
            f"a chunk of shape {given.shape} and {given.nbytes} bytes is too large: at most {LARGEST_RANK} axes and "
            f"{LARGEST_CHUNK} bytes"
        )
    order = "F" if given.flags.f_contiguous and not given.flags.c_contiguous else "C"
    native = np.ascontiguousarray(given, given.dtype.newbyteorder("=")).reshape(given.shape)
    # a chunk's own range must not be that of its padding, which the reader of an array never sees
    kept = crop.find(native, worth=1) if config.target.own_range else crop.find(native)
    outside = native.reshape(-1)[-1:].copy()
    values = np.ascontiguousarray(native[tuple(slice(n) for n in kept)])
    values = values.reshape(fold(kept) if given.size else (0,))
    header = Header(given.shape, given.dtype, order, ModelKind.NONE, True)
    special = exact_samples(values, config)
    counted = ~special if special.any() else None
    return PreparedChunk(header, values, counted, counted, kept, outside, config)
