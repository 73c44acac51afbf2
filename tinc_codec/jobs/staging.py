"""Where a job writes, and how its result takes the place that the user named.

What a job keeps lies in one directory beside the store, ``NAME.tinc``: ``new`` is being written and no reader's
business, ``old`` is what was replaced, ``ledger`` says what is done. A store takes its place by one rename, or by one
exchange of two names, so that at every moment whoever opens it finds either what was there or the new one, whole.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from tinc_codec.errors import ConfigurationError, JobError
from tinc_codec.jobs.atomic_swap import can_exchange, exchange

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

    def check_writable(self) -> None:
        """Raise `ConfigurationError` unless the store and the job's files can be written where they are to be."""
        if self.live.exists() and not self.live.is_dir():
            raise ConfigurationError(f"destination {self.live} is a file: give another, or remove it")
        for what, folder in (("destination", self.live.parent), ("the job's directory", self.beside)):
            wrong = why_unwritable(folder)
            if wrong is not None:
                raise ConfigurationError(f"{what} {folder} cannot be written: {wrong}; give another place")
        for path, is_right in ((self.ledger, Path.is_file), (self.staged, Path.is_dir), (self.old, Path.is_dir)):
            if path.exists() and not is_right(path):
                raise ConfigurationError(f"{path} is in the way of the job's own: move it away")

    def check_apart(self, source: Path) -> None:
        """Raise `ConfigurationError` where what is written would lie inside the source."""
        source = source.resolve()
        for what, path in (("destination", self.live), ("the job's directory", self.beside.resolve())):
            if source in path.parents:
                raise ConfigurationError(f"{what} {path} lies inside the source {source}: give a place beside it")

    def check_room(self, needed: int) -> None:
        """Raise `ConfigurationError` unless the file system has room for about so many bytes, less what is written."""
        written = sum(f.stat().st_size for f in self.staged.rglob("*") if f.is_file()) if self.staged.exists() else 0
        free = shutil.disk_usage(existing(self.beside)).free
        if needed - written > free:
            raise ConfigurationError(
                f"{self.beside.parent} has {free:,} bytes free, and about {needed - written:,} are to be written: make "
                "room, or give another place"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from working on the same store; the system lets go of it when the process ends.

        Raises
        ------
        JobError
            Another process has it.
        """
        try:
            self.beside.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.beside / "lock")
            lock.acquire(timeout=0)
        except Timeout:
            raise JobError(f"another process is working on {self.live}: wait for it, or stop it") from None
        except OSError as error:
            raise ConfigurationError(f"the job's directory {self.beside} cannot be written: {error}") from error
        try:
            yield
        finally:
            lock.release()

    def check_one_system(self) -> None:
        """Raise `ConfigurationError` unless a rename can bring the new store to its place."""
        folder = existing(self.live.parent)
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


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def why_unwritable(folder: Path) -> str | None:
    """Why nothing can be written in a folder, which need not be there yet; None where it can."""
    nearest = existing(folder)
    if not nearest.is_dir():
        return f"{nearest} is a file"
    try:  # rights alone do not tell: a file system may be read-only
        Path(tempfile.mkdtemp(prefix=".tinc-", dir=nearest)).rmdir()
    except OSError as error:
        return f"{error.strerror or error} ({nearest})"
    return None


def _is_consolidated(group: Path) -> bool:
    document = group / "zarr.json"
    described = json.loads(document.read_bytes()) if document.exists() else {}
    return bool(described.get("consolidated_metadata")) or (group / ".zmetadata").exists()


def sweep(store: Path, kept: Collection[str] = ()) -> None:
    """Remove what a writer that was killed left of objects that it had not finished; `kept` are the source's own."""
    for partial in store.rglob("*.partial"):
        if partial.relative_to(store).as_posix() not in kept:
            partial.unlink()
