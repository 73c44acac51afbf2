"""What a TIFF says of its images: axes, voxel sizes, units, time steps, names of channels; as OME-Zarr says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}

_UNITS = {
    "µm": "micrometer", "μm": "micrometer", "um": "micrometer", "micron": "micrometer", "microns": "micrometer",
    "\\u00b5m": "micrometer", "micrometer": "micrometer", "nm": "nanometer", "pm": "picometer", "mm": "millimeter",
    "cm": "centimeter", "m": "meter", "Å": "angstrom", "in": "inch", "inch": "inch",
    "s": "second", "sec": "second", "ms": "millisecond", "µs": "microsecond", "μs": "microsecond",
    "ns": "nanosecond", "min": "minute", "h": "hour", "d": "day",
}  # fmt: skip
"""Units as OME-XML and ImageJ write them, and as OME-Zarr does."""

_SCREENS = (1.0, 72.0, 96.0)
"""Pixels to an inch that programs write who know nothing of the image."""


@dataclass(frozen=True)
class Image:
    """What a file says of one of its images.

    Parameters
    ----------
    name
        Of the image; may be empty.
    sizes
        Distance of neighbouring voxels by the axis' name (``"z"``, ``"t"``, ...), in `units`.
    units
        Of `sizes`, in OME-Zarr's words, where the file gives one.
    channels
        Names of the channels; empty where there are none.
    """

    name: str
    sizes: Mapping[str, float]
    units: Mapping[str, str]
    channels: tuple[str, ...]


def axis_names(axes: str) -> tuple[str, ...]:
    """Names of axes from tifffile's letters; samples of a pixel are channels, where there are no others."""
    letters = axes.replace("S", "C") if "C" not in axes else axes
    return tuple(letters.lower())


def axis_order(axes: str) -> tuple[int, ...]:
    """In which order a file's axes become an array's: as they are, but the samples of a pixel before the space."""
    order = list(range(len(axes)))
    if "S" in axes and "C" not in axes:
        samples = axes.index("S")
        space = [axis for axis, letter in enumerate(axes) if letter in "ZYX"]
        if space and samples > space[0]:
            order.insert(space[0], order.pop(samples))
    return tuple(order)


def from_ome(number: int, image: Mapping[str, Any]) -> Image:
    """What an ``Image`` element of OME-XML says, as `tifffile.xml2dict` reads it."""
    about = _element(image)
    pixels = _element(about.get("Pixels"))
    sizes, units = {}, {}
    for axis, key, default in (
        *((a, f"PhysicalSize{a.upper()}", "µm") for a in "zyx"),
        ("t", "TimeIncrement", "s"),
    ):
        size = _positive(pixels.get(key))
        if size is not None:
            sizes[axis] = size
            given = str(pixels.get(f"{key}Unit", default))
            if given in _UNITS:
                units[axis] = _UNITS[given]
    channels = pixels.get("Channel", [])
    names = [str(_element(c).get("Name", "")) for c in (channels if isinstance(channels, list) else [channels])]
    return Image(str(about.get("Name", "")) or str(number), sizes, units, tuple(names) if any(names) else ())


def _element(parsed: Any) -> Mapping[str, Any]:
    """An element of XML with its attributes; one that has none is read as a text."""
    return parsed if isinstance(parsed, Mapping) else {}


def from_imagej(said: Mapping[str, Any], resolution: tuple[float | None, float | None]) -> Image:
    """What ImageJ's description says; `resolution` is pixels along x and y to one of its unit."""
    unit = _UNITS.get(str(said.get("unit", "")))
    sizes = {axis: 1 / pixels for axis, pixels in zip("xy", resolution, strict=True) if pixels and unit}
    spacing = _positive(str(said.get("spacing")).removeprefix("-"))  # a stack that was taken upwards has a negative one
    if unit and spacing is not None:
        sizes["z"] = spacing
    units = dict.fromkeys(sizes, unit) if unit else {}
    interval = _positive(said.get("finterval"))
    if interval is not None:
        sizes["t"], units["t"] = interval, _UNITS.get(str(said.get("tunit", "s")), "second")
    labels = said.get("Labels")
    names = tuple(map(str, labels)) if isinstance(labels, list) and len(labels) == said.get("channels") else ()
    return Image("", sizes, units, names)


def from_resolution(resolution: tuple[float | None, float | None], unit: int) -> Image:
    """What a plain TIFF's resolution says: `unit` is 2 for inches, 3 for centimetres."""
    sizes = {}
    for axis, pixels in zip("xy", resolution, strict=True):
        if pixels and unit in (2, 3) and not (unit == 2 and pixels in _SCREENS):
            sizes[axis] = (25400 if unit == 2 else 10000) / pixels
    return Image("", sizes, dict.fromkeys(sizes, "micrometer"), ())


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < np.inf else None


def is_ome_order(names: Sequence[str]) -> bool:
    """Whether OME-Zarr can describe axes in this order: time, a channel or another one, then two or three of space."""
    kinds = [_KINDS.get(name, "") for name in names]
    if kinds[:1] == ["time"]:
        del kinds[0]
    if kinds and kinds[0] != "space":
        del kinds[0]
    space = [name for name in names if _KINDS.get(name) == "space"]
    return kinds in (["space"] * 2, ["space"] * 3) and space == list("zyx")[-len(space) :]


def multiscale(
    image: Image, names: Sequence[str], shapes: Sequence[Sequence[int]], paths: Sequence[str]
) -> dict[str, Any]:
    """An image of OME-Zarr, version 0.5: its axes, and the voxel sizes of its levels, finest first."""
    axes = []
    for name in names:
        axis = {"name": name, "type": _KINDS.get(name), "unit": image.units.get(name)}
        axes.append({key: value for key, value in axis.items() if value is not None})
    datasets = []
    for path, shape in zip(paths, shapes, strict=True):
        factors = [n / m if name in "zyx" else 1.0 for name, n, m in zip(names, shapes[0], shape, strict=True)]
        scale = [image.sizes.get(name, 1.0) * factor for name, factor in zip(names, factors, strict=True)]
        datasets.append({"path": path, "coordinateTransformations": [{"type": "scale", "scale": scale}]})
    description: dict[str, Any] = {"name": image.name, "axes": axes, "datasets": datasets}
    if image.channels:
        description["metadata"] = {"channels": list(image.channels)}
    return description


def omero(channels: Sequence[str], dtype: np.dtype[Any]) -> dict[str, Any]:
    """How viewers show the channels: what is known of them is their names."""
    top = int(np.iinfo(dtype).max) if dtype.kind in "iu" else 1
    window = {"min": 0, "start": 0, "end": top, "max": top}
    return {"channels": [{"label": n, "color": "FFFFFF", "active": True, "window": window} for n in channels]}
