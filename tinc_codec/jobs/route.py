"""From where to where a job goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinc_codec.errors import ConfigurationError, SourceError
from tinc_codec.hosts.stores import local_path
from tinc_codec.jobs.ledger import Ledger
from tinc_codec.jobs.remote_destination import Remote
from tinc_codec.jobs.source_tree import SourceTree, open_source
from tinc_codec.jobs.staging import Place


@dataclass(frozen=True, eq=False)
class Route:
    """A source, the place that is written, and that of the job's own files.

    Parameters
    ----------
    src
        What `tinc_codec.compress` takes.
    dst
        Path or URL; None: in place.
    ledger
        Directory for the job's files; None: beside the store.
    storage_options
        What fsspec needs to open URLs.

    Raises
    ------
    ConfigurationError
        `dst` or `ledger` is no path.
    """

    src: Any
    dst: str | Path | None
    ledger: str | Path | None = None
    storage_options: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("dst", "ledger"):
            if not isinstance(getattr(self, name), str | Path | None):
                raise ConfigurationError(f"{name}={getattr(self, name)!r} must be a path, or a URL as text")

    @property
    def in_place(self) -> bool:
        """Whether the source is what is replaced."""
        return self.dst is None

    def source(self) -> SourceTree:
        """Open the source.

        Raises
        ------
        ConfigurationError
            It cannot be read.
        """
        try:
            return open_source(self.src, self.storage_options)
        except SourceError as error:  # no job is at work on it yet
            raise ConfigurationError(str(error)) from error
        except OSError as error:
            raise ConfigurationError(f"source {self.src} cannot be read: {type(error).__name__}: {error}") from error

    def destination(self, source: SourceTree) -> str:
        """What is written, for people."""
        return source.name if self.dst is None else str(self.dst)

    def files(self, source: SourceTree) -> Place:
        """The store and the job's files, where they can be written.

        Raises
        ------
        ConfigurationError
            They cannot be written, or lie inside the source.
        """
        store = self._store(source)
        if self.ledger is not None:
            beside = Path(self.ledger)
        elif store is not None:
            beside = store.beside
        else:
            raise ConfigurationError(f"destination {self.dst} is not local: say where to keep the job's ledger=...")
        files = Place(beside / "remote" if store is None else store.live, beside)
        files.check_writable()
        if source.directory is not None:
            files.check_apart(source.directory)
        return files

    def remote(self, ledger: Ledger) -> Remote | None:
        """The destination, where that is not a local directory; else None."""
        if self.dst is None or local_path(self.dst) is not None:
            return None
        return Remote.open(str(self.dst), self.storage_options, ledger)

    def _store(self, source: SourceTree) -> Place | None:
        """The store that is written; None where that is not a local directory."""
        if self.dst is None:
            if source.directory is None:
                raise ConfigurationError(
                    f"{source.name} cannot be compressed in place: only a Zarr store in a local directory can be "
                    "renamed; give a destination"
                )
            return Place.of(source.directory)
        path = local_path(self.dst)
        if path is not None and path.suffix == ".zip":
            raise ConfigurationError(f"destination {path}: several workers cannot write one zip file; give a directory")
        return None if path is None else Place.of(path)
