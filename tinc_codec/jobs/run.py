"""One job from end to end: what is missing is written, verified, and then takes its place."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from distributed import Client

from tinc_codec.errors import ConfigurationError, DestinationError, JobError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.jobs.account import Account, account_of
from tinc_codec.jobs.cluster import WorkerOptions, connected, neighbours
from tinc_codec.jobs.counts import Counts, Progress
from tinc_codec.jobs.destination import Destination, metadata, open_array, remove_chunk
from tinc_codec.jobs.destination_array import DestinationArray
from tinc_codec.jobs.ledger import EMPTY, Ledger, fingerprint
from tinc_codec.jobs.outcome import Outcome
from tinc_codec.jobs.pictures import views
from tinc_codec.jobs.plan import Plan, make_plan, memory_for
from tinc_codec.jobs.report import terminal
from tinc_codec.jobs.report.figures import array_report
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.request import Request
from tinc_codec.jobs.rules import Rules
from tinc_codec.jobs.scheduler import Failure, Job, Task, find_doubtful
from tinc_codec.jobs.snapshot import check_unchanged, take_snapshot
from tinc_codec.jobs.sources import MeanSource
from tinc_codec.jobs.stage import Stage
from tinc_codec.jobs.work import Work

log = logging.getLogger("tinc_codec")

_WORTH_SAMPLING = 20
"""Chunks for each one that a job compresses beforehand for the sake of its estimates, at least."""


def run(request: Request, options: WorkerOptions, rules: Rules, progress: bool | Progress) -> Report:
    """Do what is asked for.

    Parameters
    ----------
    request
        What.
    options
        Who does it.
    rules
        How.
    progress
        Show the plan, a bar and the report; or a function that is called with the number of chunks done, and of all.

    Raises
    ------
    ConfigurationError
        It cannot be done; nothing was written.
    JobError
        It stopped before its end; the ledger has what is done. It is a `SourceError` where the source changed.
    """
    route = request.route
    if route.in_place and not rules.verify and not rules.keep_original:
        raise ConfigurationError("in place, verify=False would remove an original that nothing was compared with")
    destination = request.destination()
    workers = options.workers(memory_for(destination.arrays))
    files = route.files(destination.source)
    with files.locked(), Ledger(files.ledger) as ledger:
        snapshot = take_snapshot(destination.source)
        stage = Stage(destination, route.in_place, files, ledger, route.remote(ledger), snapshot)
        try:
            root = stage.prepare(rules.resume)
        except DestinationError as error:  # nothing is written yet
            raise ConfigurationError(str(error)) from error
        plan = make_plan(destination, route.destination(destination.source), workers, _samples(destination, root))
        if root == files.staged and plan.expected_bytes is not None:
            files.check_room(plan.expected_bytes)
        if progress is True:
            terminal.plan(plan)
        with terminal.following(progress) as following, connected(options.client, workers) as client:
            job = Run(stage, root, plan, rules, client, Counts(plan.tasks, following))
            report = job.finished_swap() if root is None else job.report(request.pyramid == "derived")
    if progress is True:
        terminal.report(report)
    return report


def _samples(destination: Destination, root: Any) -> int:
    """Number of chunks to compress beforehand; none where an earlier run has only to be ended."""
    chunks = 0 if root is None else sum(len(array.regions) for array in destination.arrays if array.config)
    return min(3, chunks // _WORTH_SAMPLING)


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a job.

    Parameters
    ----------
    stage
        Its place.
    root
        Where arrays are written, from `Stage.prepare`.
    plan, rules
        What is done, and how.
    client
        Whose workers do it.
    counts
        How far it is.
    """

    stage: Stage
    root: Any
    plan: Plan
    rules: Rules
    client: Client
    counts: Counts
    _start: float = field(default_factory=time.perf_counter)

    @property
    def _arrays(self) -> tuple[DestinationArray, ...]:
        return self.stage.destination.arrays

    def report(self, derive: bool) -> Report:
        """Write what is missing, verify it, and let it take its place; `derive` coarser levels from finer ones or not.

        Raises
        ------
        JobError
            It stopped before its end; a `SourceError` where the source changed or went away.
        """
        destination, ledger = self.stage.destination, self.stage.ledger
        works, skipped = list[Work](), list[Failure]()
        for wave in self._waves(derive):
            share = neighbours(self.client)
            some = [self._work(array, share) for array in wave]
            works += some
            skipped += self._write(some)
        outcome = Outcome(self.plan, self._arrays, works, ledger.records(), skipped)
        report = outcome.report(self.counts, self._seconds)
        shown, notes = views(works)
        check_unchanged(destination.source, self.stage.snapshot)
        report = replace(report, views=shown, notes=notes, account=self._account(outcome))
        destination.consolidate(self.root)
        self.stage.publish(self.root, report, self.rules.keep_original)
        return replace(report, seconds=self._seconds)

    def finished_swap(self) -> Report:
        """See that what an earlier run put in its place is still whole, and only then finish its tidying.

        Raises
        ------
        JobError
            It is not; the original stays.
        """
        files = self.stage.files
        if files.staged.exists():
            files.set_aside()
        records = list(self.stage.ledger.records().values())
        reports = []
        for array in self._arrays:
            mine = [record for record in records if record.array == array.path]
            reports.append(array_report(array.path, mine, None if mine and mine[0].kinds else array.member.exact))
            work = self._work(array, 1, files.live)
            if bad := find_doubtful(self.client, work, mine, compare=False):
                kept = f"; the original is {files.old}" if files.old.exists() else ""
                raise JobError(f"{len(bad)} chunks of {files.live} are not as they were written, {min(bad)}{kept}")
        self.stage.tidy()
        return Report(self.plan, tuple(reports), 0, len(records), (), self._seconds, tuple(records))

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._start

    def _write(self, works: list[Work]) -> list[Failure]:
        """Write what is missing of arrays; those chunks that were passed over."""
        skipped = []
        for outcome in Job(self.client, self.rules).run(self._tasks(works)):
            if isinstance(outcome, Failure):
                remove_chunk(self.root, outcome.chunk)  # what was written of it before it failed
                skipped.append(outcome)
            else:
                self.stage.ledger.add(outcome)
                self.counts.finish(outcome.raw_bytes, outcome.stored_bytes)
        return skipped

    def _waves(self, derive: bool) -> Iterator[list[DestinationArray]]:
        """Arrays that can be written at the same time: derived levels come after what they are derived from."""
        by_path = {array.path: array for array in self._arrays}
        finer: dict[str, tuple[str, int]] = {}
        for image in ome.levels(self.stage.destination.source.groups) if derive else ():
            finer |= {path: (image[place], place + 1) for place, path in enumerate(image[1:])}
        finer = {path: (above, depth) for path, (above, depth) in finer.items() if _is_encoded(by_path.get(path))}
        yield [array for array in self._arrays if array.path not in finer]
        for wave in range(1, max((depth for _, depth in finer.values()), default=0) + 1):
            yield [self._derived(by_path[path], above) for path, (above, depth) in finer.items() if depth == wave]

    def _derived(self, array: DestinationArray, finer: str) -> DestinationArray:
        """An array whose samples are means of a finer one's, as that is decoded."""
        source, shape = open_array(self.root, finer, "r"), array.member.reader.shape
        reader = MeanSource(source, ome.factors(array.path, tuple(source.shape), shape), shape)
        return replace(array, member=replace(array.member, reader=reader))

    def _work(self, array: DestinationArray, share: int, root: Any = None) -> Work:
        root = self.root if root is None else root
        return Work(
            array.path,
            array.member.reader,
            open_array(root, array.path),
            array.mode,
            array.config,
            array.chunks,
            array.regions,
            fingerprint(metadata(root, array.path), array.mode, array.member.reader.identity),
            self._stored(array),
            share,
        )

    def _stored(self, array: DestinationArray) -> frozenset[str] | None:
        inventory = self.stage.destination.source.inventory
        return inventory.chunks.get(array.path) if inventory is not None and inventory.listed else None

    def _tasks(self, works: list[Work]) -> Iterator[Task]:
        """What the ledger does not have, or the store does not have as the ledger says."""
        remote = self.stage.remote
        for work in works:
            done = self._done(work)
            self.counts.reuse(len(done))
            for index in work.regions:
                if work.key(index) not in done:
                    if remote is not None:
                        remote.withdraw()
                        remote = None
                    yield Task(work, work.piece(index))

    def _done(self, work: Work) -> set[str]:
        """Keys of an array's chunks that an earlier run wrote, and that are still as it wrote them."""
        verify = self.rules.verify
        mine = [
            record
            for record in (self.stage.ledger.records().values() if self.rules.resume else ())
            if record.array == work.path
            and record.fingerprint == work.fingerprint
            and (record.verified if verify else record.digest != EMPTY)  # nothing tells whether that is right
        ]
        bad = find_doubtful(self.client, work, mine, verify)
        if bad:
            text = "%d chunks of %s are not as the ledger says, or the source has changed: they are done again"
            log.warning(text, len(bad), work.path or "the array")
        return {record.key for record in mine} - bad

    def _account(self, outcome: Outcome) -> Account:
        """What became of everything that the source holds; raises `JobError` where something is not accounted for."""
        destination = self.stage.destination
        there = destination.objects_at(self.root)
        account = account_of(destination.source, outcome.written(), destination.others, there)
        account.check(self.stage.name)
        return account


def _is_encoded(array: DestinationArray | None) -> bool:
    return array is not None and array.config is not None
