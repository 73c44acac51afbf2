"""Opening Zarr nodes, with errors that say what was given and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zarr
from zarr.errors import ArrayNotFoundError, GroupNotFoundError, NodeNotFoundError

from tinc_codec.errors import ConfigurationError, TincError
from tinc_codec.hosts.stores import local_path, open_source_store
from tinc_codec.runtime.usable import usable


def store_of(given: Any, storage_options: Mapping[str, Any] | None = None) -> Any:
    """What zarr opens: of a path the whole name, so that it is the same from any directory; of a URL its store."""
    if not isinstance(given, str | Path):
        return given
    path = local_path(given)
    return open_source_store(str(given), storage_options) if path is None else path.resolve()


def open_zarr(given: Any) -> zarr.Array[Any] | zarr.Group:
    """Open a path, or a URL that fsspec knows, for reading; errors as of `open_node`."""
    return open_node(store_of(given), given)


def open_node(place: Any, given: Any) -> zarr.Array[Any] | zarr.Group:
    """Open a Zarr array or group for reading.

    Parameters
    ----------
    place
        Where zarr finds it.
    given
        What the user gave, for errors.

    Raises
    ------
    ConfigurationError
        There is none, it cannot be reached, or its metadata are damaged.
    MissingDependencyError
        A package that its URL's protocol needs is not installed.
    """
    what = f"source {str(given)!r}"
    try:
        with usable(what):
            return zarr.open(place, mode="r")
    except (TincError, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigurationError(f"{what} holds no Zarr array or group: see that the path is right") from error
        raise
    except (NodeNotFoundError, ArrayNotFoundError, GroupNotFoundError) as error:
        raise ConfigurationError(f"{what} holds no Zarr array or group: see that the path is right") from error
    except (ValueError, KeyError, TypeError) as error:  # what zarr raises over metadata, of several kinds
        raise ConfigurationError(f"{what} has metadata that zarr cannot read: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
