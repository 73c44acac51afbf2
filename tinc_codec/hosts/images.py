"""Which arrays are images, and may become lossy: one rule, by what metadata say of an array and what is around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.stream.container import supported

SMALLEST = 4096
"""Voxels below which an array of a group is exact: tables and coordinates are of that size."""

_NARROW = 4
"""Columns up to which an array of two axes is a table."""

_LABELS = frozenset({"labels"})
_TABLES = frozenset({"table", "tables", "points", "shapes"})

_LISTS = (
    "ancillary_variables",
    "bounds",
    "cell_measures",
    "climatology",
    "coordinates",
    "formula_terms",
    "geometry",
    "grid_mapping",
    "interior_ring",
    "mesh",
    "node_coordinates",
    "node_count",
    "part_node_count",
)
"""Attributes of the CF conventions that name other variables, which say where, when or how sure and not how much."""

_TIME = re.compile(r"\bsince\b")


@dataclass(frozen=True)
class Folder:
    """A group or folder that an array lies in: its name, and its attributes where it has any."""

    name: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Candidate:
    """What is known of an array without a look at its samples.

    Parameters
    ----------
    name
        The last part of its path.
    shape, dtype
        Of the array as it is stored.
    attributes
        Its own, and what xarray keeps in a variable's encoding.
    dimensions
        Names of its axes, where they are known.
    above
        The groups and folders that it lies in, innermost first.
    named
        For each CF attribute, the names of the variables that arrays and groups around it give there.
    axes
        Names of the axes of the arrays around it.
    asked
        Whether it was named by itself: then it is what the user wants compressed, small or not.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]
    dimensions: tuple[str, ...] = ()
    above: tuple[Folder, ...] = ()
    named: Mapping[str, frozenset[str]] | None = None
    axes: frozenset[str] = frozenset()
    asked: bool = False


def why_exact(array: Candidate) -> str | None:
    """Why an array must stay exact, in words for people; None where its metadata have nothing against a lossy codec."""
    if not supported(array.dtype):
        return f"dtype {array.dtype}"
    reasons = (_label(array), _table(array), _flags(array), _time(array), _role(array), _size(array))
    return next((reason for reason in reasons if reason is not None), None)


def _label(array: Candidate) -> str | None:
    if any(ome.is_label(folder.attributes) for folder in array.above):
        return "a label image"
    names = {_plain(array.name), *(_plain(folder.name) for folder in array.above)}
    return "a label image: it lies in 'labels'" if names & _LABELS else None


def _plain(name: str) -> str:
    return name.lower().removesuffix(".zarr")


def _table(array: Candidate) -> str | None:
    if "encoding-type" in array.attributes:
        return f"part of a table ({array.attributes['encoding-type']})"
    for folder in array.above:
        if "encoding-type" in folder.attributes:
            return f"part of a table ({folder.attributes['encoding-type']})"
        if _plain(folder.name) in _TABLES:
            return f"part of a table: it lies in {folder.name!r}"
        if ome.is_image(folder.attributes):
            break
    return None


def _flags(array: Candidate) -> str | None:
    kind = str(array.attributes.get("dtype", ""))
    if kind == "bool":
        return "a mask: its dtype is bool"
    given = [name for name in ("flag_values", "flag_masks", "flag_meanings") if name in array.attributes]
    return f"flags: it has {given[0]}" if given else None


def _time(array: Candidate) -> str | None:
    units, kind = str(array.attributes.get("units", "")), str(array.attributes.get("dtype", ""))
    if _TIME.search(units) or "calendar" in array.attributes:
        return f"times: its units are {units!r}"
    return f"times: its dtype is {kind}" if kind.startswith(("datetime64", "timedelta64")) else None


def _role(array: Candidate) -> str | None:
    """What it is to another array."""
    for attribute, names in (array.named or {}).items():
        if array.name in names:
            return "a coordinate" if attribute == "coordinates" else f"named by another array as its {attribute}"
    return "a coordinate" if array.name in {*array.dimensions, *array.axes} else None


def _size(array: Candidate) -> str | None:
    if 0 in array.shape:
        return "empty"
    if array.asked:
        return None
    if len(array.shape) < 2:
        return "a coordinate: it has one axis" if array.shape else "a single value"
    if len(array.shape) == 2 and min(array.shape) <= _NARROW:
        return f"a table of {min(array.shape)} columns"
    return "small" if np.prod(array.shape, dtype=object) < SMALLEST else None


def names_given(attributes: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """For each CF attribute, the names of variables that it gives in some arrays' and groups' attributes."""
    given = list(attributes)
    by_attribute = {name: frozenset(_words(part.get(name) for part in given)) for name in _LISTS}
    return {name: names for name, names in by_attribute.items() if names}


def _words(texts: Iterable[Any]) -> Iterator[str]:
    """Names in texts such as ``"lat lon"`` and ``"crs: x y"``; in ``"area: cells"`` the role is taken for one too."""
    for text in texts:
        if isinstance(text, str):
            yield from (word.removesuffix(":").rsplit("/", 1)[-1] for word in text.split())
