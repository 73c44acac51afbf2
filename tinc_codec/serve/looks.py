"""What the page shows: images and their levels, planes of them, and what is known of the chunk below the pointer."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from PIL import Image as Pillow

from tinc_codec.decoding.inspect import inspect
from tinc_codec.errors import RequestError, TincError, UnsupportedDataError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.hosts.zarr_levels import check_level
from tinc_codec.serve import answers
from tinc_codec.serve.answers import Answer
from tinc_codec.serve.nodes import Nodes
from tinc_codec.serve.paths import joined
from tinc_codec.serve.plain import ChunkPlace, PlainStore
from tinc_codec.serve.pyramids import IMAGE, Pyramids

MOST_IMAGES = 1000
"""Images that the page lists."""

LARGEST_PLANE = 2**22
"""Pixels of a picture, at most."""

_CROP = 1024
"""Edge of the part of a plane that its contrast is taken from, where no coarse level is there."""

_PERCENTILES = (0.5, 99.8)

Query = Mapping[str, str]


@dataclass(frozen=True)
class Image:
    """An array, or the image that it is the finest level of.

    Parameters
    ----------
    path, finest
        Of the node, and of its finest array.
    names
        Of the axes.
    arrays
        The levels, finest first.
    factors
        For each level, voxels of the finest along each axis to one sample.
    derived
        Whether the coarser ones are made when they are read.
    """

    path: str
    finest: str
    names: tuple[str, ...]
    arrays: tuple[zarr.Array[Any], ...]
    factors: tuple[tuple[int, ...], ...]
    derived: bool


class Looks:
    """Answers for the page, for threads.

    Parameters
    ----------
    nodes
        The arrays and groups.
    plain
        Finds chunks as they are stored.
    pyramids
        Coarser levels where none are stored.
    """

    def __init__(self, nodes: Nodes, plain: PlainStore, pyramids: Pyramids) -> None:
        self._nodes, self._plain, self._pyramids = nodes, plain, pyramids

    def images(self) -> Answer:
        """All images, and all arrays that are no levels of one, as JSON."""
        shown: list[dict[str, Any]] = []
        levels: set[str] = set()
        for path, node in self._nodes.walk():
            if len(shown) == MOST_IMAGES:
                break
            if isinstance(node, TincError):
                shown.append({"path": path, "error": str(node)})
                continue
            attributes = dict(node.attrs)
            levels.update(*ome.levels({path: attributes}))
            is_array = isinstance(node, zarr.Array) and path not in levels and _can_be_seen(node)
            if ome.is_image(attributes) or is_array:
                shown.append(self._described(path))
        return answers.as_json({"name": self._nodes.name, "images": shown})

    def _described(self, path: str) -> dict[str, Any]:
        try:
            image = self._image(path)
        except TincError as error:
            return {"path": path, "error": str(error)}
        finest = image.arrays[0]
        return {
            "path": path,
            "array": image.finest,
            "shape": finest.shape,
            "dtype": str(finest.dtype),
            "chunks": finest.chunks,
            "axes": image.names,
            "zarr_format": finest.metadata.zarr_format,
            "tinc": self._is_tinc(finest),
            "levels": [
                {"shape": array.shape, "factor": factor}
                for array, factor in zip(image.arrays, image.factors, strict=True)
            ],
            "derived": image.derived,
            "url": joined("levels", path, IMAGE) if image.derived else joined("data.zarr", path),
        }

    def _image(self, path: str) -> Image:
        finest, array, attributes = self._nodes.finest(path)
        if not _can_be_seen(array):
            raise RequestError(f"{finest or '/'!r} has {array.dtype} and {array.ndim} axes: nothing to see", 404)
        stored = next(ome.levels({path: attributes}), [finest])
        arrays = [array, *(self._array(level) for level in stored[1:])]
        names = ome.axes_of(attributes, array)
        if len(arrays) == 1 and self._is_tinc(array):
            view = self._pyramids.view(path)
            factors = tuple(tuple(2**k for k in level) for level in view.levels)
            return Image(path, finest, names, view.arrays, factors, derived=True)
        factors = tuple(tuple(map(_factor, array.shape, level.shape)) for level in arrays)
        return Image(path, finest, names, tuple(arrays), factors, derived=False)

    def _array(self, path: str) -> zarr.Array[Any]:
        node = self._nodes.open(path)
        if isinstance(node, zarr.Array):
            return node
        raise RequestError(f"{path!r} is named as a level of an image, and is a group", 404)

    def _is_tinc(self, array: zarr.Array[Any]) -> bool:
        try:
            check_level(array, (0,) * array.ndim)
        except UnsupportedDataError:
            return False
        return True

    def plane(self, path: str, query: Query) -> Answer:
        """The last two axes at one place of the others, as a grey PNG.

        Parameters
        ----------
        path
            Of an image.
        query
            ``level``; ``at``, the place along the other axes, in voxels of the finest level; ``y`` and ``x``, parts in
            samples of the level, as in ``0:512``; ``low`` and ``high``, the samples that are black and white.

        Raises
        ------
        RequestError
            There is no such image, or what is asked for makes no sense, or too large a picture.
        """
        image = self._image(path)
        level = _whole(query, "level", len(image.arrays))
        samples = self._samples(image, level, query)
        low, high = _real(query, "low", 0.0), _real(query, "high", 1.0)
        scaled = (samples.astype(np.float64) - low) * (255 / (high - low if high > low else 1))
        grey = np.clip(np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0), 0, 255).astype(np.uint8)
        out = io.BytesIO()
        Pillow.fromarray(grey).save(out, "PNG", compress_level=1)
        return Answer(200, out.getvalue(), {"Content-Type": "image/png", "Cache-Control": "max-age=30"})

    def _samples(self, image: Image, level: int, query: Query) -> NDArray[Any]:
        array, factor = image.arrays[level], image.factors[level]
        shape = array.shape if array.ndim > 1 else (1, *array.shape)
        place = _place(query, len(shape) - 2)
        lead: tuple[Any, ...] = tuple(min(i // f, n - 1) for i, f, n in zip(place, factor, shape[:-2], strict=False))
        y, x = _part(query, "y", shape[-2]), _part(query, "x", shape[-1])
        if (y.stop - y.start) * (x.stop - x.start) > LARGEST_PLANE:
            raise RequestError(f"a picture has at most {LARGEST_PLANE} pixels: ask for a part, or a coarser level", 400)
        size = math.prod(array.chunks) * array.dtype.itemsize
        if size > self._plain.limits.chunk:
            raise RequestError(f"a chunk takes {size} bytes: start the server with a larger --max-chunk", 507)
        samples = np.asarray(array[(*lead, y, x)] if array.ndim > 1 else array[x])
        return samples.reshape(y.stop - y.start, x.stop - x.start)

    def contrast(self, path: str, query: Query) -> Answer:
        """The range of a plane's samples, and that of all but the extremes, as JSON; from the coarsest level."""
        image = self._image(path)
        level = len(image.arrays) - 1
        middle = [_middle(n) for n in image.arrays[level].shape[-2:]]
        part = {name: f"{along.start}:{along.stop}" for name, along in zip("yx"[-len(middle) :], middle, strict=True)}
        samples = self._samples(image, level, {**query, **part})
        finite = samples[np.isfinite(samples)].astype(np.float64)
        if not finite.size:
            finite = np.zeros(1)
        low, high = np.percentile(finite, _PERCENTILES).tolist()
        return answers.as_json({"low": low, "high": high, "min": float(finite.min()), "max": float(finite.max())})

    def chunk(self, path: str, query: Query) -> Answer:
        """The sample at a place of the finest level, ``at``, and what the chunk that it lies in says of itself."""
        image = self._image(path)
        level = _whole(query, "level", len(image.arrays))
        finest, array = image.arrays[0], image.arrays[level]
        place = _place(query, finest.ndim)
        if any(i >= n for i, n in zip(place, finest.shape, strict=True)):
            raise RequestError(f"at={query.get('at')!r} lies outside of shape {finest.shape}", 400)
        here = tuple(min(i // f, n - 1) for i, f, n in zip(place, image.factors[level], array.shape, strict=True))
        index = tuple(i // n for i, n in zip(place, finest.chunks, strict=True))
        known = {"at": place, "value": _number(np.asarray(array[here])), "chunk": index}
        chunk = self._plain.chunk_at(image.finest, index)
        if chunk is not None:
            return answers.as_json({**known, **self._chunk_info(chunk)})
        size = self._plain.plain_size(image.finest, index)
        return answers.as_json(known if size is None else {**known, "bytes": size, "kind": "not TINC"})

    def _chunk_info(self, place: ChunkPlace) -> dict[str, Any]:
        stored = self._plain.stored_chunk(place)
        if stored is None:
            return {"kind": "missing: the fill value", "bytes": 0}
        infos = [inspect(stream) for stream in place.array.streams(stored)]
        if len(infos) != 1:
            return {"kind": f"{len(infos)} streams", "bytes": len(stored)}
        (info,) = infos
        quality = info.quality
        known = {"kind": info.kind, "bytes": len(stored), "raw_bytes": info.raw_bytes, "ratio": info.ratio}
        if quality is None:
            return {**known, "psnr": None, "max_error": 0} if info.kind == "lossless" else known
        psnr = quality.psnr if quality.rmse else None
        return {**known, "psnr": psnr, "max_error": quality.max_error, "low": quality.low, "high": quality.high}


def _can_be_seen(array: zarr.Array[Any]) -> bool:
    return array.dtype.kind in "biuf" and array.ndim > 0


def _factor(finer: int, coarser: int) -> int:
    return max(1, round(finer / max(coarser, 1)))


def _middle(n: int) -> slice:
    start = max(0, (n - _CROP) // 2)
    return slice(start, min(n, start + _CROP))


def _number(sample: NDArray[Any]) -> Any:
    """A sample for JSON, which knows no NaN."""
    value = sample.item()
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def _whole(query: Query, name: str, count: int) -> int:
    text = query.get(name, "0")
    if not text.isdecimal() or len(text) > 9 or int(text) >= count:
        raise RequestError(f"{name}={text!r} must be a whole number below {count}", 400)
    return int(text)


def _real(query: Query, name: str, default: float) -> float:
    try:
        number = float(query.get(name, default))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f"{name}={query.get(name)!r} must be a number", 400)
    return number


def _place(query: Query, axes: int) -> tuple[int, ...]:
    parts = [part for part in query.get("at", "").split(",") if part]
    if len(parts) != axes or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise RequestError(f"at={query.get('at')!r} must be {axes} whole numbers, as in {','.join('0' * axes)!r}", 400)
    return tuple(map(int, parts))


def _part(query: Query, name: str, size: int) -> slice:
    start, _, stop = query.get(name, f"0:{size}").partition(":")
    if not (start.isdecimal() and stop.isdecimal() and len(start + stop) < 40):
        raise RequestError(f"{name}={query.get(name)!r} must be a part of {size} samples, as in '0:512'", 400)
    part = slice(int(start), min(int(stop), size))
    if part.start >= part.stop:
        raise RequestError(f"{name}={query.get(name)!r} is no part of {size} samples", 400)
    return part
