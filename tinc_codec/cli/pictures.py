"""`tinc inspect --image`: the middle plane of what is stored, and what its chunks take and keep."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.decoding.decode import decode
from tinc_codec.decoding.inspect import StreamInfo
from tinc_codec.errors import ConfigurationError, MissingDependencyError
from tinc_codec.hosts.opening import open_node
from tinc_codec.jobs.chunk_keys import chunk_keys

SUFFIXES = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
_DOCUMENTS = ("zarr.json", ".zarray")


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane of two axes, decoded, with the chunks that it cuts.

    Parameters
    ----------
    title
        What it is of.
    samples
        Two axes.
    chunk
        Edges of a chunk in the plane.
    infos
        What the chunks hold, by their place in the plane; empty for a stream.
    """

    title: str
    samples: NDArray[Any]
    chunk: tuple[int, int]
    infos: Mapping[tuple[int, int], StreamInfo]


def middle(shape: Sequence[int]) -> tuple[int | slice, ...]:
    """What selects the middle plane: all of the last two axes, in the middle of the others."""
    return tuple(n // 2 if axis < len(shape) - 2 else slice(None) for axis, n in enumerate(shape))


def plane_of_stream(name: str, stream: bytes, info: StreamInfo) -> Plane:
    """The middle plane of a stream."""
    samples = np.atleast_2d(decode(stream, middle(info.shape)) if info.shape else decode(stream))
    return Plane(f"{name}: {_where(info.shape)}", samples, (samples.shape[0], samples.shape[1]), {})


def plane_of_store(path: Path, infos: Sequence[tuple[str, StreamInfo]]) -> Plane:
    """The middle plane of the largest array of a store."""
    arrays: dict[Path, list[tuple[str, StreamInfo]]] = {}
    for key, info in infos:
        arrays.setdefault(_folder(path, key), []).append((key, info))
    folder = max(arrays, key=lambda folder: sum(info.raw_bytes for _, info in arrays[folder]))
    array: Any = open_node(folder, folder)
    selection = middle(array.shape)
    samples = np.atleast_2d(np.asarray(array[selection]))
    cut = {}
    for key, info in arrays[folder]:
        place = _place(folder, (path / key).relative_to(folder).as_posix(), array)
        leading = zip(place, selection, array.chunks, strict=True)
        if all(isinstance(at, slice) or index == at // edge for index, at, edge in leading):
            cut[_last_two(place, 0)] = info
    return Plane(f"{folder.name}: {_where(array.shape)}", samples, _last_two(array.chunks, 1), cut)


def _last_two(numbers: Sequence[int], before: int) -> tuple[int, int]:
    first, last = (before, before, *numbers)[-2:]
    return first, last


def _where(shape: Sequence[int]) -> str:
    return "[" + ", ".join(":" if isinstance(part, slice) else str(part) for part in middle(shape)) + "]"


def _folder(path: Path, key: str) -> Path:
    """The directory of the array that a chunk belongs to."""
    folder = (path / key).parent
    while not any((folder / name).exists() for name in _DOCUMENTS):
        folder = folder.parent
    return folder


def _place(folder: Path, key: str, array: Any) -> tuple[int, ...]:
    """Where in an array's grid of chunks a chunk is, by its key: a shard's, and its number in there, or its own."""
    name, _, number = key.partition("#")
    document = next(folder / name for name in _DOCUMENTS if (folder / name).exists())
    keys = chunk_keys(json.loads(document.read_bytes()))
    assert keys is not None
    index = keys.index(name)
    if not number:
        return index
    counts = tuple(shard // chunk for shard, chunk in zip(array.shards, array.chunks, strict=True))
    inside = np.unravel_index(int(number), counts)
    return tuple(int(i * count + j) for i, count, j in zip(index, counts, inside, strict=True))


def check_image(path: Path) -> None:
    """Raise unless a picture can be written to a file of this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(f"image {str(path)!r} must end with {', '.join(SUFFIXES)}")


def draw(plane: Plane, path: Path) -> None:
    """Write a picture of a plane, and of the ratio and the PSNR of the chunks that it cuts where there are several.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("the picture needs matplotlib: pip install 'tinc-codec[plot]'") from error
    maps: dict[str, Callable[[StreamInfo], float]] = {}
    if len(plane.infos) > 1:
        maps = {"ratio of each chunk": lambda info: info.ratio, "PSNR of each chunk (dB)": _psnr}
    height, width = plane.samples.shape
    aspect = min(max(height / width, 0.15), 3)
    figure = Figure(figsize=(6 * (1 + len(maps)), 6 * aspect + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.subplots(1, 1 + len(maps), squeeze=False)[0]
    known = plane.samples[np.isfinite(plane.samples)]
    low, high = np.percentile(known, [0.5, 99.8]) if known.size else (0.0, 1.0)
    shown = axes[0].imshow(plane.samples, cmap="gray", vmin=low, vmax=high, interpolation="nearest", aspect="auto")
    axes[0].set_title(plane.title, fontsize=10)
    figure.colorbar(shown, ax=axes[0], shrink=0.9)
    for ax, (title, value) in zip(axes[1:], maps.items(), strict=True):
        _draw_map(figure, ax, plane, value)
        ax.set_title(title, fontsize=10)
    figure.savefig(path, dpi=110)


def _psnr(info: StreamInfo) -> float:
    return math.nan if info.quality is None or not info.quality.rmse else info.quality.psnr


def _draw_map(figure: Any, ax: Any, plane: Plane, value: Callable[[StreamInfo], float]) -> None:
    """A number for each chunk, where the chunk is in the plane; what is lossless has no PSNR."""
    height, width = plane.samples.shape
    counts = [-(-n // edge) for n, edge in zip((height, width), plane.chunk, strict=True)]
    values = np.full(counts, np.nan)
    for place, info in plane.infos.items():
        values[place] = value(info)
    extent = (-0.5, counts[1] * plane.chunk[1] - 0.5, counts[0] * plane.chunk[0] - 0.5, -0.5)
    shown = ax.imshow(values, cmap="viridis", extent=extent, interpolation="nearest", aspect="auto")
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)
    figure.colorbar(shown, ax=ax, shrink=0.9)
