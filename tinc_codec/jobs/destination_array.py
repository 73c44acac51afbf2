"""One array of the destination, as the source's suggests it and as the user wants it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tinc_codec.config import Config
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.regions import Regions
from tinc_codec.hosts.zarr3 import zarr_kwargs
from tinc_codec.jobs.grids import Grid, Shape, check_grid, own_grid
from tinc_codec.jobs.source_tree import ALREADY, Member

Mode = Literal["encode", "copy", "recode"]
"""How an array gets there: through the codec; object by object; or as samples, stored by another codec."""


@dataclass(frozen=True)
class WriteSettings:
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
class DestinationArray:
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
        return math.prod(self.member.reader.shape) * self.member.reader.dtype.itemsize

    @property
    def padded_bytes(self) -> int:
        """The same of its chunks, of which the last ones may reach beyond the array's end."""
        chunks = len(Regions(self.member.reader.shape, self.chunks))
        return chunks * math.prod(self.chunks) * self.member.reader.dtype.itemsize


def _own_format(member: Member) -> int:
    return 3 if member.array is None else int(member.array.metadata.zarr_format)


def destination_array(member: Member, writer: WriteSettings, grid: Grid) -> DestinationArray:
    """What is written of an array of a source.

    Raises
    ------
    ConfigurationError
        Chunks or shards do not fit the array.
    """
    zarr_format, chunks, shards = grid.zarr_format or _own_format(member), grid.chunks, grid.shards
    own = (chunks, None) if chunks is not None and member.array is None else own_grid(member, zarr_format)
    exact = member.exact is not None
    kept = member.array is not None and _own_format(member) == zarr_format
    if exact and kept and not member.lossless and (writer.plain is None or member.exact != ALREADY):
        return DestinationArray(member, "copy", None, *own, {})
    coded = writer.config is not None and (not exact or member.lossless)
    regrid = not exact or writer.plain is not None
    edges = (chunks or own[0], shards if chunks or shards else own[1]) if regrid else own
    check_grid(member, *edges, zarr_format)
    config = None
    arguments: dict[str, Any] = {"zarr_format": zarr_format}
    if coded:
        config = _config_for(member, writer)
        arguments = zarr_kwargs(TINCCodec.from_settings(config), zarr_format=2 if zarr_format == 2 else 3)
    elif writer.plain is not None:
        arguments |= writer.plain[zarr_format]
    return DestinationArray(
        member, "encode" if coded else "recode", config, *edges, {**arguments, **_about(member, zarr_format)}
    )


def _config_for(member: Member, writer: WriteSettings) -> Config:
    """The codec's settings for an array: nothing is lost of one that must stay exact."""
    assert writer.config is not None
    if member.exact is not None:
        return Config(max_error=0.0, effort=writer.config.effort)
    return replace(writer.config, exact_values=tuple(dict.fromkeys((*writer.config.exact_values, *member.missing))))


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
