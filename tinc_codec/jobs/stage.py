"""Where a job writes, until what it wrote takes the place that the user named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zarr.storage import MemoryStore

from tinc_codec.errors import ConfigurationError, JobError, SourceError
from tinc_codec.jobs.destination import Destination
from tinc_codec.jobs.held import HeldStore
from tinc_codec.jobs.ledger import Ledger
from tinc_codec.jobs.remote_destination import Remote
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.snapshot import Snapshot, check_unchanged, difference
from tinc_codec.jobs.source_tree import ALREADY
from tinc_codec.jobs.staging import Place, sweep


@dataclass(frozen=True, eq=False)
class Stage:
    """A job's place, its ledger and its lock.

    Parameters
    ----------
    destination
        What is written.
    in_place
        Whether the source is what is replaced.
    files
        The store and the job's files; locked.
    ledger
        Open.
    remote
        The destination, where that is not a local directory.
    snapshot
        The source as it was opened.
    """

    destination: Destination
    in_place: bool
    files: Place
    ledger: Ledger
    remote: Remote | None
    snapshot: Snapshot

    @property
    def name(self) -> str:
        """Of the destination, for people."""
        return str(self.files.live) if self.remote is None else self.remote.held.url

    def prepare(self, resume: bool) -> Any:
        """Where arrays are to be written, with all metadata in place; None where an earlier run has only to be ended.

        Raises
        ------
        ConfigurationError
            The destination is somebody else's, or cannot take what is written.
        SourceError
            The source is not what it was when the job began.
        """
        if self.in_place and self._swapped():
            return None
        if self.remote is not None:
            return self._remote_root(self.remote, resume)
        intended = MemoryStore()
        self.destination.create(intended)
        self.files.check_one_system()
        if self.in_place:
            self.files.check_replaceable()
            if self.files.old.exists():
                raise ConfigurationError(f"{self.files.old} is the original of an earlier job: move it away first")
        root = self._begun(intended, resume)
        return self._new_root() if root is None else self._again(root)

    def publish(self, root: Any, report: Report, keep_original: bool) -> None:
        """Let what was written take its place.

        Raises
        ------
        SourceError
            The source changed while the job ran.
        JobError
            In place: chunks were skipped.
        """
        check_unchanged(self.destination.source, self.snapshot)
        if self.remote is not None:
            self.remote.publish(report.records)
            return
        if root != self.files.staged:
            return
        skipped = [failure.chunk for failure in report.failures if failure.instead == "skipped"]
        if self.in_place and skipped:
            raise JobError(
                f"{len(skipped)} chunks were skipped, {skipped[0]} among them: {self.files.live} is left as it was"
            )
        if self.in_place:
            self.ledger.note("swap", {"inode": self.files.staged.stat().st_ino, "keep": keep_original})
        self.files.publish()
        if not (self.in_place and keep_original):
            self.files.remove_old()

    def tidy(self) -> None:
        """Remove the original that an earlier run replaced, unless it was asked to keep it."""
        if not self.ledger.noted("swap")["keep"]:
            self.files.remove_old()

    @property
    def _mine(self) -> dict[str, Any]:
        return {"source": self.destination.source.name, "in place": self.in_place}

    def _note_job(self) -> None:
        self.ledger.begin()
        self.ledger.note("job", self._mine)
        self.ledger.note("source", self.snapshot.nodes)

    def _begun(self, intended: MemoryStore, resume: bool) -> Path | None:
        """What an earlier run of this job began, where it can be gone on with."""
        live, staged = self.files.live, self.files.staged
        published = not self.in_place and live.exists()
        if published and self.ledger.noted("job") != self._mine:
            raise ConfigurationError(f"destination {live} exists and is not of this job: give another, or remove it")
        unfinished = staged.exists() and self.ledger.noted("created") == staged.stat().st_ino
        if published:
            self.files.remove_old()
        if not resume or not (published or unfinished):
            return None
        self._check_same_source()
        begun = [root for root, there in ((live, published), (staged, unfinished)) if there]
        return next((root for root in begun if self.destination.alike(root, intended)), None)

    def _check_same_source(self) -> None:
        before = self.ledger.noted("source")
        wrong = None if before is None else difference(before, self.snapshot.nodes)
        if wrong is not None:
            raise SourceError(
                f"source {self.destination.source.name} has changed since the job began: {wrong}; bring it back as it "
                "was and run the same again, or begin anew with resume=False"
            )

    def _new_root(self) -> Path:
        self.files.clear_staged()
        self._note_job()
        root = self.files.staged
        self.destination.create(root)
        self.ledger.note("created", root.stat().st_ino)
        return root

    def _again(self, root: Path) -> Path:
        """What an earlier run began, with what the source got since that is no array."""
        sweep(root, self.destination.others)
        self.destination.create(root)
        return root

    def _remote_root(self, remote: Remote, resume: bool) -> HeldStore:
        self.destination.create(remote.held)
        self.destination.consolidate(remote.held)
        if remote.goes_on(self._mine, resume):
            self._check_same_source()
        else:
            self._note_job()
            remote.claim(self._mine)
        return remote.held

    def _swapped(self) -> bool:
        """Whether an earlier run put its store in this place, and nobody put another one there since."""
        swap = self.ledger.noted("swap")
        if swap is None or swap["inode"] != self.files.live.stat().st_ino:
            return False
        encoded = {record.array for record in self.ledger.records().values() if record.kinds}
        now = {array.path for array in self.destination.arrays if array.member.exact == ALREADY}
        return encoded <= now  # inodes are used again
