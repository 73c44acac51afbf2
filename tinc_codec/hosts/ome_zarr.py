"""What OME-Zarr 0.4 and 0.5 say in a group's attributes: images, their levels, and labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import zarr

from tinc_codec.errors import ConfigurationError

_KINDS = {"t": "time", "time": "time", "c": "channel", "channel": "channel", "channels": "channel"}

Attributes = Mapping[str, Mapping[str, Any]]
"""Attributes of groups by path."""


def _ome(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part that is OME's: format 0.5 has it under a key of its own."""
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def is_ome(groups: Attributes) -> bool:
    """Whether any group is an image, a plate or a collection of OME-Zarr."""
    known = ("multiscales", "plate", "well", "bioformats2raw.layout", "labels")
    return any(key in _ome(attributes) for attributes in groups.values() for key in known)


def in_format(attributes: Mapping[str, Any], zarr_format: int) -> dict[str, Any]:
    """Attributes in version 0.5 as the version has them that goes with a Zarr format: 0.4 with 2, 0.5 with 3."""
    if zarr_format == 3 or "ome" not in attributes:
        return dict(attributes)
    described = {key: value for key, value in attributes["ome"].items() if key != "version"}
    if "multiscales" in described:
        described["multiscales"] = [{**image, "version": "0.4"} for image in described["multiscales"]]
    return {**{k: v for k, v in attributes.items() if k != "ome"}, **described}


def is_label(attributes: Mapping[str, Any]) -> bool:
    """Whether a group is an image whose samples are names of objects: an error of 1 makes another object of them."""
    return "image-label" in _ome(attributes)


def is_image(attributes: Mapping[str, Any]) -> bool:
    """Whether a group is an image, or the labels of one."""
    return "multiscales" in _ome(attributes)


def paths(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Paths of nodes, from a group, that its attributes name: levels, labels, wells, fields, series."""
    ome = _ome(attributes)
    for image in _objects(ome.get("multiscales")):
        yield from _level_paths(image)
    for key, listed in (("plate", "wells"), ("well", "images")):
        inner = ome.get(key)
        if isinstance(inner, Mapping):
            yield from (str(part["path"]) for part in _objects(inner.get(listed)) if "path" in part)
    for key, where in (("labels", ""), ("series", "../")):  # the group OME lies beside the series that it names
        names = ome.get(key)
        yield from (where + name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def optional_paths(attributes: Mapping[str, Any]) -> Iterator[str]:
    """Paths of nodes that may be below a group of these attributes, and that nothing names."""
    ome = _ome(attributes)
    if "multiscales" in ome:
        yield "labels"
    if is_collection(attributes):
        yield from ("OME", "0")


def is_collection(attributes: Mapping[str, Any]) -> bool:
    """Whether a group's images are numbered from 0 on, as bioformats2raw writes them."""
    return "bioformats2raw.layout" in _ome(attributes)


def documents(groups: Attributes) -> list[str]:
    """Keys of the files beside nodes that OME-Zarr knows."""
    return ["/".join(filter(None, (path, "OME/METADATA.ome.xml"))) for path in groups if is_collection(groups[path])]


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    """What of a list are JSON objects: other writers put anything there, and nothing else of it is understood."""
    return [part for part in listed if isinstance(part, Mapping)] if isinstance(listed, list) else []


def _level_paths(image: Mapping[str, Any]) -> list[str]:
    """Paths of an image's levels, from its group, finest first."""
    return [str(dataset["path"]) for dataset in _objects(image.get("datasets")) if "path" in dataset]


def levels(groups: Attributes) -> Iterator[list[str]]:
    """Paths of each image's levels, finest first; `groups` are all of a source, plates' and wells' among them."""
    for path, attributes in groups.items():
        for image in _objects(_ome(attributes).get("multiscales")):
            yield ["/".join(filter(None, (path, level))) for level in _level_paths(image)]


def factors(path: str, finer: tuple[int, ...], coarser: tuple[int, ...]) -> tuple[int, ...]:
    """Voxels of a finer level along each axis that make one of the next level.

    Raises
    ------
    ConfigurationError
        The shapes are not those of whole factors.
    """
    each = []
    for n, m in itertools.zip_longest(finer, coarser, fillvalue=-1):
        factor = max(1, round(n / m)) if m > 0 else 1
        if m not in (n // factor, -(-n // factor)):
            raise ConfigurationError(
                f"level {path!r} of shape {coarser} is not a whole fraction of the level before it, {finer}: it cannot "
                "be derived; compress every level (pyramid='all')"
            )
        each.append(factor)
    return tuple(each)


def kind_of(name: str) -> str:
    """Whether an axis of this name is space, time or a channel, in OME's words."""
    return _KINDS.get(name.lower(), "space")


def first_level(attributes: Mapping[str, Any]) -> str | None:
    """Path of an image's finest level; None: the group is no image."""
    image = _image(attributes)
    return None if image is None else next(iter(_level_paths(image)), None)


def axes_of(attributes: Mapping[str, Any], array: zarr.Array[Any]) -> tuple[str, ...]:
    """Names of an array's axes: its image's, its own, xarray's, or x, y, z from the last on."""
    image = _image(attributes)
    own = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    axes = None if image is None else image.get("axes")
    if isinstance(axes, list) and len(axes) == array.ndim:
        return tuple(str(axis.get("name", "")) if isinstance(axis, Mapping) else str(axis) for axis in axes)
    if isinstance(own, list | tuple) and len(own) == array.ndim and all(own):
        return tuple(map(str, own))
    return ("", "t", "c", "z", "y", "x")[-array.ndim :] if 0 < array.ndim < 6 else ("",) * array.ndim


def scale_of(attributes: Mapping[str, Any], axes: int) -> tuple[list[dict[str, Any]] | None, list[float], list[float]]:
    """An image's axes as it describes them, and scale and translation of its finest level."""
    image = _image(attributes) or {}
    scale, translation = [1.0] * axes, [0.0] * axes
    finest = next(iter(_objects(image.get("datasets"))), {})
    for transformation in _objects(finest.get("coordinateTransformations")):
        if sizes := _numbers(transformation, "scale", axes):
            scale = [a * b for a, b in zip(scale, sizes, strict=True)]
            translation = [a * b for a, b in zip(translation, sizes, strict=True)]
        elif shift := _numbers(transformation, "translation", axes):
            translation = [a + b for a, b in zip(translation, shift, strict=True)]
    described = image.get("axes")
    known = isinstance(described, list) and len(described) == axes and len(_objects(described)) == axes
    return (described if known else None), scale, translation


def _numbers(transformation: Mapping[str, Any], kind: str, axes: int) -> list[float]:
    """The numbers of a transformation, one for each axis; empty: it is of another kind, or of another array's axes."""
    numbers = transformation.get(kind) if transformation.get("type") == kind else None
    if not isinstance(numbers, list) or len(numbers) != axes:
        return []
    return numbers if all(isinstance(number, int | float) for number in numbers) else []


def _image(attributes: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next(iter(_objects(_ome(attributes).get("multiscales"))), None)
