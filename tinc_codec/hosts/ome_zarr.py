"""What OME-Zarr 0.4 and 0.5 say in a group's attributes: images, their levels, and labels."""

from __future__ import annotations

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
    images = [{**image, "version": "0.4"} for image in described.get("multiscales", [])]
    return {**{k: v for k, v in attributes.items() if k != "ome"}, **described, "multiscales": images}


def is_label(attributes: Mapping[str, Any]) -> bool:
    """Whether a group is an image whose samples are names of objects: an error of 1 makes another object of them."""
    return "image-label" in _ome(attributes)


def is_image(attributes: Mapping[str, Any]) -> bool:
    """Whether a group is an image, or the labels of one."""
    return "multiscales" in _ome(attributes)


def paths(attributes: Mapping[str, Any]) -> Iterator[str]:
    """NodeLayout of nodes, from a group, that its attributes name: levels, labels, wells, fields, series."""
    ome = _ome(attributes)
    for image in _objects(ome.get("multiscales")):
        yield from (str(dataset["path"]) for dataset in _objects(image.get("datasets")) if "path" in dataset)
    for key, listed in (("plate", "wells"), ("well", "images")):
        inner = ome.get(key)
        if isinstance(inner, Mapping):
            yield from (str(part["path"]) for part in _objects(inner.get(listed)) if "path" in part)
    for key, where in (("labels", ""), ("series", "../")):  # the group OME lies beside the series that it names
        names = ome.get(key)
        yield from (where + name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def optional_paths(attributes: Mapping[str, Any]) -> Iterator[str]:
    """NodeLayout of nodes that may be below a group of these attributes, and that nothing names."""
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
    return [part for part in listed if isinstance(part, Mapping)] if isinstance(listed, list) else []


def levels(groups: Attributes) -> Iterator[list[str]]:
    """NodeLayout of each image's levels, finest first; `groups` are all of a source, plates' and wells' among them."""
    for path, attributes in groups.items():
        multiscales = _ome(attributes).get("multiscales")
        for image in multiscales if isinstance(multiscales, list) else []:
            yield ["/".join(filter(None, (path, dataset["path"]))) for dataset in image["datasets"]]


def factors(path: str, finer: tuple[int, ...], coarser: tuple[int, ...]) -> tuple[int, ...]:
    """Voxels of a finer level along each axis that make one of the next level.

    Raises
    ------
    ConfigurationError
        The shapes are not those of whole factors.
    """
    each = []
    for n, m in zip(finer, coarser, strict=True):
        factor = max(1, round(n / m))
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
    return None if image is None else str(image["datasets"][0]["path"])


def axes_of(attributes: Mapping[str, Any], array: zarr.Array[Any]) -> tuple[str, ...]:
    """Names of an array's axes: its image's, its own, xarray's, or x, y, z from the last on."""
    image = _image(attributes)
    own = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if image is not None and len(image.get("axes", ())) == array.ndim:
        return tuple(axis["name"] if isinstance(axis, Mapping) else str(axis) for axis in image["axes"])
    if isinstance(own, list | tuple) and len(own) == array.ndim and all(own):
        return tuple(map(str, own))
    return ("", "t", "c", "z", "y", "x")[-array.ndim :] if 0 < array.ndim < 6 else ("",) * array.ndim


def scale_of(attributes: Mapping[str, Any], axes: int) -> tuple[list[dict[str, Any]] | None, list[float], list[float]]:
    """An image's axes as it describes them, and scale and translation of its finest level."""
    image = _image(attributes) or {}
    scale, translation = [1.0] * axes, [0.0] * axes
    for transformation in image.get("datasets", [{}])[0].get("coordinateTransformations", []):
        if transformation["type"] == "scale":
            scale = [a * b for a, b in zip(scale, transformation["scale"], strict=True)]
            translation = [a * b for a, b in zip(translation, transformation["scale"], strict=True)]
        elif transformation["type"] == "translation":
            translation = [a + b for a, b in zip(translation, transformation["translation"], strict=True)]
    described = image.get("axes")
    known = isinstance(described, list) and all(isinstance(axis, Mapping) for axis in described)
    return (described if known else None), scale, translation


def _image(attributes: Mapping[str, Any]) -> Mapping[str, Any] | None:
    multiscales = _ome(attributes).get("multiscales")
    return multiscales[0] if isinstance(multiscales, list) and multiscales else None
