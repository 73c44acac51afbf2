"""Where a job writes, and how its result takes the place that the user named.

What a job keeps lies in one directory beside the store, ``NAME.tinc``: ``new`` is being written and no reader's
business, ``old`` is what was replaced, ``ledger`` says what is done. A store takes its place by one rename, or by one
exchange of two names, so that at every moment whoever opens it finds either what was there or the new one, whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tinc_codec.arrays.exchange import can_exchange, exchange
from tinc_codec.errors import ConfigurationError, JobError

_METADATA = (".zarray", ".zgroup", "zarr.json")


@dataclass(frozen=True)
class Place:
    """A local store, and the directory of the job that writes it.

    Parameters
    ----------
    live
        The store as its readers know it.
    beside
        The job's directory, on the same file system.
    """

    live: Path
    beside: Path

    @classmethod
    def of(cls, live: Path) -> Place:
        """The place of a store, which may lie inside another one: what is kept lies beside the outermost."""
        live = live.resolve()  # of a link, what it points at is replaced
        root = live
        while any((root.parent / name).exists() for name in _METADATA):
            root = root.parent
        inner = live.relative_to(root).parts
        return cls(live, root.parent / (".".join((root.name, *inner)) + ".tinc"))

    @property
    def staged(self) -> Path:
        """The store that is being written."""
        return self.beside / "new"

    @property
    def old(self) -> Path:
        """The store that was replaced."""
        return self.beside / "old"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.beside / "ledger"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from working on the same store; the system lets go of it when the process ends.

        Raises
        ------
        JobError
            Another process has it.
        """
        self.beside.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.beside / "lock", timeout=0):
                yield
        except Timeout:
            raise JobError(f"another process is working on {self.live}: wait for it, or stop it") from None

    def check_one_system(self) -> None:
        """Raise `ConfigurationError` unless a rename can bring the new store to its place."""
        folder = next(parent for parent in self.live.parents if parent.exists())
        if folder.stat().st_dev != self.beside.stat().st_dev:
            raise ConfigurationError(
                f"ledger {self.beside} is on another file system than {folder}: the new store is written there, and "
                "could not be renamed; leave ledger out, or name a directory beside the store"
            )

    def check_replaceable(self) -> None:
        """Raise `ConfigurationError` unless the store can be replaced in one step, and no other store tells of it."""
        reason = can_exchange(self.beside)
        if reason is not None:
            raise ConfigurationError(
                f"{self.live} cannot be compressed in place: its file system cannot exchange two directories in one "
                f"step ({reason}); give a destination instead"
            )
        for outer in self.live.parents:
            if not any((outer / name).exists() for name in _METADATA):
                break
            if _is_consolidated(outer):
                raise ConfigurationError(
                    f"{self.live} cannot be compressed in place: the consolidated metadata of {outer} tell of it; "
                    f"compress {outer} as a whole"
                )

    def clear_staged(self) -> None:
        """Remove what was being written."""
        if self.staged.exists():
            shutil.rmtree(self.staged)

    def publish(self) -> None:
        """Let what was written take the store's place; what was there becomes `old`, which must not exist."""
        if hasattr(os, "sync"):  # what the new store holds must be on the disk before the old one's name is taken away
            os.sync()
        if self.live.exists():
            exchange(self.staged, self.live)
            self.set_aside()
        else:
            self.live.parent.mkdir(parents=True, exist_ok=True)
            self.staged.rename(self.live)

    def set_aside(self) -> None:
        """Give what was replaced its name."""
        self.staged.rename(self.old)

    def remove_old(self) -> None:
        """Remove what was replaced."""
        if self.old.exists():
            shutil.rmtree(self.old)


def _is_consolidated(group: Path) -> bool:
    document = group / "zarr.json"
    told = json.loads(document.read_bytes()) if document.exists() else {}
    return bool(told.get("consolidated_metadata")) or (group / ".zmetadata").exists()


def sweep(store: Path) -> None:
    """Remove what a writer that was killed left of objects that it had not finished."""
    for partial in store.rglob("*.partial"):
        partial.unlink()


def local_path(place: str | Path) -> Path | None:
    """The path that a destination names, None where it is a URL of somewhere else; told apart as Zarr and fsspec do."""
    if isinstance(place, Path):
        return place
    scheme, _, rest = place.partition(":")
    if scheme in ("file", "local") and rest.startswith("/"):
        return Path(rest.removeprefix("//"))  # names are taken as they are written, %20 and # too
    return None if "://" in place or "::" in place else Path(place)
