"""What OME-Zarr 0.4 and 0.5 say in a group's attributes: images, their levels, and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tinc_codec.errors import ConfigurationError

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


def label_groups(groups: Attributes) -> list[str]:
    """Paths of the images whose samples are names of objects: an error of 1 makes another object of them."""
    found = [path for path, attributes in groups.items() if "image-label" in _ome(attributes)]
    for path, attributes in groups.items():
        names = _ome(attributes).get("labels")
        if isinstance(names, list) and path.rsplit("/", 1)[-1] == "labels":
            found += [f"{path}/{name}" for name in names]
    return found


def levels(groups: Attributes) -> Iterator[list[str]]:
    """Paths of each image's levels, finest first; `groups` are all of a source, plates' and wells' among them."""
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
    found = []
    for n, m in zip(finer, coarser, strict=True):
        factor = max(1, round(n / m))
        if m not in (n // factor, -(-n // factor)):
            raise ConfigurationError(
                f"level {path!r} of shape {coarser} is not a whole fraction of the level before it, {finer}: it cannot "
                "be derived; compress every level (pyramid='all')"
            )
        found.append(factor)
    return tuple(found)
