"""One job from end to end: what is missing is written, verified, and then takes its place."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from distributed import Client
from zarr.storage import MemoryStore

from tinc_codec.errors import ConfigurationError, JobError, SourceError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.jobs import destination as layout
from tinc_codec.jobs.account import Account, account_of
from tinc_codec.jobs.cluster import neighbours
from tinc_codec.jobs.counts import Counts, Progress
from tinc_codec.jobs.destination import DestinationArray
from tinc_codec.jobs.held import HeldStore
from tinc_codec.jobs.ledger import EMPTY, Ledger, fingerprint
from tinc_codec.jobs.outcome import Outcome
from tinc_codec.jobs.pictures import views
from tinc_codec.jobs.plan import Plan
from tinc_codec.jobs.remote_destination import Remote
from tinc_codec.jobs.report.figures import array_report
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.scheduler import Failure, Job, Rules, Task, find_doubtful
from tinc_codec.jobs.snapshot import Snapshot, check_unchanged, difference
from tinc_codec.jobs.source_tree import ALREADY, SourceTree
from tinc_codec.jobs.sources import MeanSource
from tinc_codec.jobs.staging import Place, sweep
from tinc_codec.jobs.work import Work

log = logging.getLogger("tinc_codec")


@dataclass(frozen=True, eq=False)
class Stage:
    """A job that has its place, its ledger and its lock.

    Parameters
    ----------
    in_place
        Whether the source is what is replaced.
    derive
        Whether coarser levels are made from finer ones.
    source, made, zarr_format
        What it is made from, the arrays, and the format that was asked for.
    files
        The store and the job's files.
    ledger
        Open.
    remote
        The destination, where that is not a local directory.
    snapshot
        The source as it was opened.
    """

    in_place: bool
    derive: bool
    source: SourceTree
    made: list[DestinationArray]
    zarr_format: int | None
    files: Place
    ledger: Ledger
    remote: Remote | None
    snapshot: Snapshot

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
        wanted = MemoryStore()
        layout.create(wanted, self.source, self.made, self.zarr_format)
        self.files.check_one_system()
        if self.in_place:
            self.files.check_replaceable()
            if self.files.old.exists():
                raise ConfigurationError(f"{self.files.old} is the original of an earlier job: move it away first")
        root = self._begun(wanted, resume)
        if root is None:
            self.files.clear_staged()
            self._note_job()
            root = self.files.staged
            layout.create(root, self.source, self.made, self.zarr_format)
            self.ledger.note("created", root.stat().st_ino)
            return root
        return self._again(root)

    @property
    def _mine(self) -> dict[str, Any]:
        return {"source": self.source.name, "in place": self.in_place}

    def _note_job(self) -> None:
        self.ledger.begin()
        self.ledger.note("job", self._mine)
        self.ledger.note("source", self.snapshot.nodes)

    def _begun(self, wanted: MemoryStore, resume: bool) -> Path | None:
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
        return next((root for root in begun if layout.same_layout(root, wanted, self.made)), None)

    def _check_same_source(self) -> None:
        before = self.ledger.noted("source")
        wrong = None if before is None else difference(before, self.snapshot.nodes)
        if wrong is not None:
            raise SourceError(
                f"source {self.source.name} has changed since the job began: {wrong}; bring it back as it was and run "
                "the same again, or begin anew with resume=False"
            )

    def run(
        self, client: Client, root: Any, plan: Plan, rules: Rules, resume: bool, keep_original: bool, told: Progress
    ) -> Report:
        """Write what is missing, verify it, and let it take its place; `root` is what `prepare` gives."""
        start = time.perf_counter()
        if root is None:
            return self._finish_swap(client, plan, start)
        counts, skipped = Counts(plan.tasks, told), []
        works: list[Work] = []
        for wave in self._waves(root):
            share = neighbours(client)
            some = [self._work(root, target, share) for target in wave]
            works += some
            job = Job(client, rules)
            for found in job.run(self._tasks(client, some, rules, resume, counts)):
                if isinstance(found, Failure):
                    layout.remove_chunk(root, found.chunk)  # what was written of it before it failed
                    skipped.append(found)
                else:
                    self.ledger.add(found)
                    counts.finish(1)
        written = Outcome(plan, self.made, works, self.ledger.records(), skipped)
        report = written.report(counts, time.perf_counter() - start)
        shown, notes = views(works)
        check_unchanged(self.source, self.snapshot)
        report = replace(report, views=shown, notes=notes, account=self._account(root, written))
        layout.consolidate(root, self.source)
        self._publish(root, report, keep_original)
        return replace(report, seconds=time.perf_counter() - start)

    def _again(self, root: Path) -> Path:
        """What an earlier run began, with what the source got since that is no array."""
        sweep(root, layout.others(self.source))
        layout.create(root, self.source, self.made, self.zarr_format)
        return root

    def _remote_root(self, remote: Remote, resume: bool) -> HeldStore:
        layout.create(remote.held, self.source, self.made, self.zarr_format)
        layout.consolidate(remote.held, self.source)
        if remote.goes_on(self._mine, resume):
            self._check_same_source()
        else:
            self._note_job()
            remote.claim(self._mine)
        return remote.held

    def _waves(self, root: Any) -> Iterator[list[DestinationArray]]:
        """Arrays that can be written at the same time: derived levels come after what they are derived from."""
        derived: dict[str, tuple[str, int]] = {}
        if self.derive:
            for image in ome.levels(self.source.groups):
                derived |= {path: (image[place], place + 1) for place, path in enumerate(image[1:])}
        by_path = {target.path: target for target in self.made}
        derived = {
            path: found for path, found in derived.items() if path in by_path and by_path[path].config is not None
        }
        yield [target for target in self.made if target.path not in derived]
        for depth in range(1, max((place for _, place in derived.values()), default=0) + 1):
            yield [_derived(root, by_path[path], finer) for path, (finer, place) in derived.items() if place == depth]

    def _work(self, root: Any, target: DestinationArray, share: int) -> Work:
        array = layout.open_target(root, target.path)
        told = fingerprint(layout.metadata(root, target.path), target.mode, target.member.reader.identity)
        return Work(
            target.path,
            target.member.reader,
            array,
            target.mode,
            target.config,
            target.chunks,
            target.regions,
            told,
            self._stored(target),
            share,
        )

    def _stored(self, target: DestinationArray) -> frozenset[str] | None:
        inventory = self.source.inventory
        return inventory.chunks.get(target.path) if inventory is not None and inventory.listed else None

    def _tasks(self, client: Client, works: list[Work], rules: Rules, resume: bool, counts: Counts) -> Iterator[Task]:
        """What the ledger does not have, or the store does not have as the ledger says."""
        records, first = self.ledger.records() if resume else {}, True
        for work in works:
            mine = [
                record
                for record in records.values()
                if record.array == work.path
                and record.fingerprint == work.fingerprint
                and (record.verified if rules.verify else record.digest != EMPTY)  # nothing tells whether that is right
            ]
            bad = find_doubtful(client, work, mine, rules.verify)
            if bad:
                text = "%d chunks of %s are not as the ledger says, or the source has changed: they are done again"
                log.warning(text, len(bad), work.path or "the array")
            have = {record.key for record in mine} - bad
            counts.reuse(len(have))
            for index in work.regions:
                if work.key(index) not in have:
                    if first and self.remote is not None:
                        self.remote.withdraw()
                    first = False
                    yield Task(work, work.piece(index))

    def _account(self, root: Any, outcome: Outcome) -> Account:
        """What became of everything that the source holds; raises `JobError` where something is not accounted for."""
        others, there = layout.others(self.source), layout.objects_of(root, self.source)
        account = account_of(self.source, outcome.written(), others, there)
        account.check(str(self.files.live) if self.remote is None else self.remote.held.url)
        return account

    def _publish(self, root: Any, report: Report, keep_original: bool) -> None:
        check_unchanged(self.source, self.snapshot)
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

    def _swapped(self) -> bool:
        """Whether an earlier run put its store in this place, and nobody put another one there since."""
        swap = self.ledger.noted("swap")
        if swap is None or swap["inode"] != self.files.live.stat().st_ino:
            return False
        encoded = {record.array for record in self.ledger.records().values() if record.kinds}
        now = {target.path for target in self.made if target.member.exact == ALREADY}
        return encoded <= now  # inodes are used again

    def _finish_swap(self, client: Client, plan: Plan, start: float) -> Report:
        """See that what an earlier run put in its place is still whole, and only then finish its tidying."""
        if self.files.staged.exists():
            self.files.set_aside()
        records = list(self.ledger.records().values())
        arrays = []
        for target in self.made:
            mine = [record for record in records if record.array == target.path]
            arrays.append(array_report(target.path, mine, None if mine and mine[0].kinds else target.member.exact))
            work = self._work(self.files.live, target, 1)
            if bad := find_doubtful(client, work, mine, compare=False):
                kept = f"; the original is {self.files.old}" if self.files.old.exists() else ""
                raise JobError(f"{len(bad)} chunks of {self.files.live} are not as they were written, {min(bad)}{kept}")
        if not self.ledger.noted("swap")["keep"]:
            self.files.remove_old()
        seconds = time.perf_counter() - start
        return Report(plan, tuple(arrays), 0, len(records), (), seconds, tuple(records))


def _derived(root: Any, target: DestinationArray, finer: str) -> DestinationArray:
    array, shape = layout.open_target(root, finer, "r"), target.member.reader.shape
    reader = MeanSource(array, ome.factors(target.path, tuple(array.shape), shape), shape)
    return replace(target, member=replace(target.member, reader=reader))
