"""The destination's groups and arrays, made from the source's: everything but the samples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import NodeNotFoundError
from zarr.storage._common import make_store_path

from tinc_codec.arrays import ome
from tinc_codec.arrays.regions import Regions
from tinc_codec.arrays.walk import ALREADY, Member, Source
from tinc_codec.codec import TINCCodec
from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.zarr3 import zarr_kwargs

Shape = tuple[int, ...]
Mode = Literal["encode", "copy", "recode"]
"""How an array gets there: through the codec; object by object; or as samples, stored by another codec."""

_VOXELS = 2**21
"""Voxels of a chunk, at most, where the source has no chunks to keep: cubes or squares of the axes of space."""


@dataclass(frozen=True)
class Writer:
    """What new arrays are written with.

    Parameters
    ----------
    config
        TINC's settings; None where `plain` is used.
    plain
        Arguments of ``zarr.create_array`` for another codec, by Zarr format.
    """

    config: Config | None
    plain: Mapping[int, Mapping[str, Any]] | None = None


@dataclass(frozen=True, eq=False)
class Target:
    """One array to make.

    Parameters
    ----------
    member
        Where its samples come from.
    mode
        How.
    config
        TINC's settings for it; None unless `mode` is ``"encode"``.
    chunks, shards
        Its grid; no shards: None.
    arguments
        Further arguments of ``zarr.create_array``.
    """

    member: Member
    mode: Mode
    config: Config | None
    chunks: Shape
    shards: Shape | None
    arguments: dict[str, Any]

    @property
    def path(self) -> str:
        """Within the destination."""
        return self.member.path

    @property
    def regions(self) -> Regions:
        """What is written at once."""
        return Regions(self.member.reader.shape, self.shards or self.chunks)

    @property
    def raw_bytes(self) -> int:
        """Uncompressed size."""
        return int(np.prod(self.member.reader.shape, dtype=object)) * self.member.reader.dtype.itemsize


def targets(
    source: Source, writer: Writer, zarr_format: int, chunks: Shape | None, shards: Shape | None
) -> list[Target]:
    """What is made of every array of a source.

    Raises
    ------
    ConfigurationError
        Chunks or shards do not fit an array, or the Zarr format is not one that its metadata can have.
    """
    if source.zarr_format not in (None, zarr_format) and ome.is_ome({g.path: g.attributes for g in source.groups}):
        raise ConfigurationError(
            f"zarr_format={zarr_format}: {source.name} is OME-Zarr in Zarr format {source.zarr_format}, and its "
            "version goes with that; leave zarr_format out"
        )
    return [_target(member, source, writer, zarr_format, chunks, shards) for member in source.members]


def _target(
    member: Member, source: Source, writer: Writer, zarr_format: int, chunks: Shape | None, shards: Shape | None
) -> Target:
    own = (chunks, None) if chunks is not None and member.array is None else _own_grid(member, zarr_format)
    as_it_is = member.copied is not None and source.zarr_format == zarr_format
    if as_it_is and (writer.plain is None or member.copied != ALREADY):
        return Target(member, "copy", None, *own, {})
    lossy = writer.config is not None and member.copied is None
    given = (chunks or own[0], shards if chunks or shards else own[1]) if lossy or writer.plain is not None else own
    _check_grid(member, *given, zarr_format)
    config = None
    arguments: dict[str, Any] = {"zarr_format": zarr_format}
    if lossy:
        assert writer.config is not None
        exact = tuple(dict.fromkeys((*writer.config.exact_values, *member.missing)))
        config = replace(writer.config, exact_values=exact)
        arguments = zarr_kwargs(TINCCodec.from_settings(config), zarr_format=2 if zarr_format == 2 else 3)
    elif writer.plain is not None:
        arguments |= writer.plain[zarr_format]
    return Target(member, "encode" if lossy else "recode", config, *given, {**arguments, **_about(member, zarr_format)})


def _own_grid(member: Member, zarr_format: int) -> tuple[Shape, Shape | None]:
    array, reader = member.array, member.reader
    if array is not None:
        shards = None if array.shards is None or zarr_format == 2 else tuple(array.shards)
        return tuple(array.chunks), shards
    blocks = getattr(getattr(reader, "array", None), "chunks", None)
    if blocks is None:
        return _cubes(reader.shape, member.names), None
    if any(len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0] for sizes in blocks):
        raise ConfigurationError("the dask array's blocks differ in size: give chunks=..., or rechunk it")
    return tuple(int(sizes[0]) for sizes in blocks), None


def _cubes(shape: Shape, names: tuple[str, ...]) -> Shape:
    """Chunks over the last three axes of space, or of all where none is known to be; one voxel along the others."""
    space = [axis for axis in range(len(shape)) if not names or ome.kind_of(names[axis]) == "space"][-3:]
    edge = round(_VOXELS ** (1 / max(1, len(space))))
    if not space:
        space, edge = list(range(len(shape)))[-3:], 128
    return tuple(max(1, min(edge, n)) if axis in space else 1 for axis, n in enumerate(shape))


def _check_grid(member: Member, chunks: Shape, shards: Shape | None, zarr_format: int) -> None:
    shape = member.reader.shape
    for name, grid in (("chunks", chunks), ("shards", shards)):
        if grid is not None and (len(grid) != len(shape) or min(grid, default=1) < 1):
            raise ConfigurationError(f"{name}={grid} do not fit array {member.path!r} of shape {shape}")
    if shards is not None and zarr_format == 2:
        raise ConfigurationError(f"shards={shards}: Zarr format 2 has none; leave them out, or ask for zarr_format=3")
    if shards is not None and any(s % c for s, c in zip(shards, chunks, strict=True)):
        raise ConfigurationError(f"shards={shards} are not whole chunks of {chunks}")


def _about(member: Member, zarr_format: int) -> dict[str, Any]:
    """Fill value, attributes, names of the axes and keys of the chunks, as the source has them."""
    array = member.array
    if array is None:
        return _about_other(member, zarr_format)
    attributes, metadata = dict(array.attrs), array.metadata
    names: Any = getattr(metadata, "dimension_names", None) or attributes.get("_ARRAY_DIMENSIONS")
    about: dict[str, Any] = {"fill_value": metadata.fill_value}
    if zarr_format == 2:
        about["order"] = array.order
        if names is not None:
            attributes["_ARRAY_DIMENSIONS"] = list(names)
        if metadata.zarr_format == 2:
            about["chunk_key_encoding"] = {"name": "v2", "separator": metadata.dimension_separator}
    else:
        about["dimension_names"] = names
        attributes.pop("_ARRAY_DIMENSIONS", None)
        if metadata.zarr_format == 3:
            about["chunk_key_encoding"] = metadata.chunk_key_encoding
        elif metadata.fill_value is None:
            del about["fill_value"]
    return {**about, "attributes": attributes}


def _about_other(member: Member, zarr_format: int) -> dict[str, Any]:
    """The same of an array that is not Zarr's."""
    names, attributes = list(member.names) or None, dict(member.attributes)
    if zarr_format == 3:
        return {"dimension_names": names, "attributes": attributes}
    if names:
        attributes["_ARRAY_DIMENSIONS"] = names
    return {"chunk_key_encoding": {"name": "v2", "separator": "/"}, "attributes": attributes}


def create(root: Any, source: Source, made: list[Target], zarr_format: int) -> None:
    """Write the metadata of all groups and arrays, and copy what else lies in a local store.

    Parameters
    ----------
    root
        Path or URL of the destination.
    source
        What it is made from.
    made
        Its arrays.
    zarr_format
        Of the destination.
    """
    for group in source.groups:
        zarr.create_group(
            root,
            path=group.path or "",
            attributes=group.attributes if source.zarr_format else ome.in_format(group.attributes, zarr_format),
            zarr_format=2 if zarr_format == 2 else 3,
        )
    for target in made:
        if target.mode == "copy":
            assert target.member.array is not None
            _copy_metadata(target.member.array, root, target.path)
        else:
            reader = target.member.reader
            zarr.create_array(
                root,
                name=target.path or None,
                shape=reader.shape,
                dtype=reader.dtype,
                chunks=target.chunks,
                shards=target.shards,
                **target.arguments,
            )
    if source.directory is not None and isinstance(root, Path):
        _copy_others(source.directory, root, {target.path for target in made})


def _copy_metadata(array: zarr.Array[Any], root: Any, path: str) -> None:
    place = sync(make_store_path(root, path=path, mode="a"))
    for name in ("zarr.json", ".zarray", ".zattrs"):
        found = sync((array.store_path / name).get(prototype=default_buffer_prototype()))
        if found is not None:
            sync((place / name).set(found))


def _copy_others(source: Path, root: Path, arrays: set[str]) -> None:
    """Copy files that belong to no node, such as the OME-XML beside an image."""
    pending = [source]
    while pending:
        folder = pending.pop()
        place = folder.relative_to(source)
        if ("" if place == Path() else place.as_posix()) in arrays:
            continue
        for entry in sorted(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                pending.append(entry)
            elif entry.name not in ("zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata"):
                (root / place).mkdir(parents=True, exist_ok=True)
                shutil.copy2(entry, root / place / entry.name, follow_symlinks=False)


def consolidate(root: Any, source: Source) -> None:
    """Consolidate the metadata of those groups whose metadata were."""
    for group in source.groups:
        if group.consolidated:
            zarr.consolidate_metadata(root, path=group.path or None)


def same_layout(root: Any, other: Any, made: list[Target]) -> bool:
    """Whether the arrays at two places have the same metadata, so that chunks of one are chunks of the other."""
    try:
        return all(metadata(root, target.path) == metadata(other, target.path) for target in made)
    except (FileNotFoundError, KeyError):
        return False


def metadata(root: Any, path: str) -> str:
    """An array's metadata as text, its attributes left out."""
    document = open_target(root, path, "r").metadata.to_dict()
    return json.dumps(
        {key: value for key, value in document.items() if key != "attributes"}, default=str, sort_keys=True
    )


def open_target(root: Any, path: str, mode: str = "r+") -> zarr.Array[Any]:
    """Open an array of the destination."""
    return zarr.open_array(root, path=path or "", mode=mode)


def create_empty(path: Path, shape: Shape, chunks: Shape) -> None:
    """Write the metadata of an array of uint16 that has no chunks."""
    zarr.create_array(path, shape=shape, chunks=chunks, dtype="uint16")


def exists(root: Any) -> bool:
    """Whether there is a Zarr node at a path or URL."""
    try:
        zarr.open(root, mode="r")
    except (FileNotFoundError, NodeNotFoundError):
        return False
    return True
