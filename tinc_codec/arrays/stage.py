"""One job from end to end: what is missing is written, verified, and then takes its place."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from distributed import Client
from zarr.storage import MemoryStore

from tinc_codec.arrays import layout, ome
from tinc_codec.arrays.cluster import neighbours
from tinc_codec.arrays.held import HeldStore
from tinc_codec.arrays.job import Failure, Job, Rules, Task, find_doubtful
from tinc_codec.arrays.layout import Target
from tinc_codec.arrays.ledger import EMPTY, Ledger, fingerprint
from tinc_codec.arrays.place import Place, sweep
from tinc_codec.arrays.plan import Plan
from tinc_codec.arrays.readers import MeanReader
from tinc_codec.arrays.remote import Remote
from tinc_codec.arrays.report import Report, View, array_report
from tinc_codec.arrays.walk import ALREADY, Source
from tinc_codec.arrays.worker import Work
from tinc_codec.errors import ConfigurationError, JobError

log = logging.getLogger("tinc_codec")

_PICTURED = 4
"""Arrays of which the report has a picture."""

_EDGE = 256
"""Edge of a picture in voxels, or a chunk's where that is more."""

Progress = Callable[[int, int], None]
"""Called with the number of chunks that are done, and of all."""


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
        What it is made from, the arrays, and their format.
    files
        The store and the job's files.
    ledger
        Open.
    remote
        The destination, where that is not a local directory.
    """

    in_place: bool
    derive: bool
    source: Source
    made: list[Target]
    zarr_format: int
    files: Place
    ledger: Ledger
    remote: Remote | None

    def run(
        self, client: Client, plan: Plan, rules: Rules, resume: bool, keep_original: bool, told: Progress
    ) -> Report:
        """Write what is missing, verify it, and let it take its place."""
        start = time.perf_counter()
        if self.in_place and self._swapped():
            return self._finish_swap(client, plan, start)
        root = self._root(resume)
        counts, skipped = _Counts(plan.tasks, told), []
        works: list[Work] = []
        for wave in self._waves(root):
            share = neighbours(client)
            some = [self._work(root, target, share) for target in wave]
            works += some
            job = Job(client, rules)
            for found in job.run(self._tasks(client, some, rules, resume, counts)):
                if isinstance(found, Failure):
                    skipped.append(found)
                else:
                    self.ledger.add(found)
                    counts.finish(1)
        report = self._report(plan, works, counts, skipped, start)
        report = replace(report, views=tuple(_views(works)))
        layout.consolidate(root, self.source)
        self._publish(root, report, keep_original)
        return replace(report, seconds=time.perf_counter() - start)

    def _root(self, resume: bool) -> Any:
        """Where arrays are written, with all metadata in place."""
        mine = {"source": self.source.name, "in place": self.in_place}
        if self.remote is not None:
            return self._remote_root(self.remote, mine, resume)
        known = self.ledger.noted("job")
        self.files.check_one_system()
        live, staged = self.files.live, self.files.staged
        if self.in_place:
            self.files.check_replaceable()
            if self.files.old.exists():
                raise ConfigurationError(f"{self.files.old} is the original of an earlier job: move it away first")
        wanted = MemoryStore()
        layout.create(wanted, self.source, self.made, self.zarr_format)
        if not self.in_place and live.exists():
            if known != mine:
                raise ConfigurationError(
                    f"destination {live} exists and is not of this job: give another, or remove it"
                )
            self.files.remove_old()
            if resume and layout.same_layout(live, wanted, self.made):
                sweep(live)
                return live
        self.ledger.note("job", mine)
        made_before = staged.exists() and self.ledger.noted("created") == staged.stat().st_ino
        if made_before and resume and layout.same_layout(staged, wanted, self.made):
            sweep(staged)
            return staged
        self.files.clear_staged()
        layout.create(staged, self.source, self.made, self.zarr_format)
        self.ledger.note("created", staged.stat().st_ino)
        return staged

    def _remote_root(self, remote: Remote, mine: dict[str, Any], resume: bool) -> HeldStore:
        layout.create(remote.held, self.source, self.made, self.zarr_format)
        layout.consolidate(remote.held, self.source)
        remote.begin({**mine, "destination": remote.held.url}, resume)
        return remote.held

    def _waves(self, root: Any) -> Iterator[list[Target]]:
        """Arrays that can be written at the same time: derived levels come after what they are derived from."""
        derived: dict[str, tuple[str, int]] = {}
        if self.derive:
            for image in ome.levels({group.path: group.attributes for group in self.source.groups}):
                derived |= {path: (image[place], place + 1) for place, path in enumerate(image[1:])}
        by_path = {target.path: target for target in self.made}
        derived = {
            path: found for path, found in derived.items() if path in by_path and by_path[path].config is not None
        }
        yield [target for target in self.made if target.path not in derived]
        for depth in range(1, max((place for _, place in derived.values()), default=0) + 1):
            yield [_derived(root, by_path[path], finer) for path, (finer, place) in derived.items() if place == depth]

    def _work(self, root: Any, target: Target, share: int) -> Work:
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
            share,
        )

    def _tasks(self, client: Client, works: list[Work], rules: Rules, resume: bool, counts: _Counts) -> Iterator[Task]:
        """What the ledger does not have, or the store does not have as the ledger says."""
        records, untouched = self.ledger.records() if resume else {}, True
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
                    assert work.reader is not None
                    if untouched and self.remote is not None:
                        self.remote.withdraw()
                    untouched = False
                    yield Task(work, index, work.reader.part(work.regions.at(index)))

    def _report(self, plan: Plan, works: list[Work], counts: _Counts, skipped: list[Failure], start: float) -> Report:
        records = self.ledger.records()
        arrays, kept = [], []
        for work, target in zip(works, self._in_order(works), strict=True):
            mine = [r for r in records.values() if r.array == work.path and r.fingerprint == work.fingerprint]
            kept += mine
            arrays.append(array_report(work.path, mine, None if target.config else target.member.copied))
        missing = plan.tasks - len(kept) - len(skipped)
        if missing:
            raise JobError(f"{missing} of {plan.tasks} chunks are not in the ledger: run it again")
        instead = [Failure(f"{r.array}/{r.key}".lstrip("/"), r.instead, "lossless") for r in kept if r.instead]
        failures, seconds = (*skipped, *instead), time.perf_counter() - start
        return Report(plan, tuple(arrays), counts.done, counts.reused, failures, seconds, tuple(kept))

    def _in_order(self, works: list[Work]) -> Iterator[Target]:
        by_path = {target.path: target for target in self.made}
        return (by_path[work.path] for work in works)

    def _publish(self, root: Any, report: Report, keep_original: bool) -> None:
        if self.remote is not None:
            self.remote.publish(list(report.records))
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
        now = {target.path for target in self.made if target.member.copied == ALREADY}
        return encoded <= now  # inodes are used again

    def _finish_swap(self, client: Client, plan: Plan, start: float) -> Report:
        """See that what an earlier run put in its place is still whole, and only then finish its tidying."""
        if self.files.staged.exists():
            self.files.set_aside()
        records = list(self.ledger.records().values())
        arrays = []
        for target in self.made:
            mine = [record for record in records if record.array == target.path]
            arrays.append(array_report(target.path, mine, None if mine and mine[0].kinds else target.member.copied))
            work = self._work(self.files.live, target, 1)
            if bad := find_doubtful(client, work, mine, compare=False):
                kept = f"; the original is {self.files.old}" if self.files.old.exists() else ""
                raise JobError(f"{len(bad)} chunks of {self.files.live} are not as they were written, {min(bad)}{kept}")
        if not self.ledger.noted("swap")["keep"]:
            self.files.remove_old()
        seconds = time.perf_counter() - start
        return Report(plan, tuple(arrays), 0, len(records), (), seconds, tuple(records))


def _views(works: list[Work]) -> Iterator[View]:
    """The middle plane of the first compressed arrays, no larger than a few chunks."""
    for work in [work for work in works if work.mode == "encode"][:_PICTURED]:
        shape = work.regions.shape
        region = [slice(n // 2, n // 2 + 1) for n in shape[:-2]]
        for n, chunk in zip(shape[-2:], work.chunks[-2:], strict=True):
            edge = min(n, max(chunk, _EDGE))
            start = (n - edge) // 2
            region.append(slice(start, start + edge))
        assert work.reader is not None
        reader = work.reader.part(tuple(region)) or work.reader
        original, decoded = reader.read(tuple(region)), np.asarray(work.target[tuple(region)])
        flat = original.shape[-2:]
        yield View(work.path, tuple(region), original.reshape(flat), decoded.reshape(flat))


def _derived(root: Any, target: Target, finer: str) -> Target:
    array, shape = layout.open_target(root, finer, "r"), target.member.reader.shape
    reader = MeanReader(array, ome.factors(target.path, tuple(array.shape), shape), shape)
    return replace(target, member=replace(target.member, reader=reader))


class _Counts:
    """How far a job is."""

    def __init__(self, total: int, told: Progress) -> None:
        self.done = self.reused = 0
        self._total, self._told = total, told

    def finish(self, number: int) -> None:
        self.done += number
        self._told(self.done + self.reused, self._total)

    def reuse(self, number: int) -> None:
        self.reused += number
        self._told(self.done + self.reused, self._total)
