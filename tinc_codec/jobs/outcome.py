"""What a job has written, from its ledger: the figures of its report, and what its account is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinc_codec.errors import JobError
from tinc_codec.jobs.account import Written
from tinc_codec.jobs.counts import Counts
from tinc_codec.jobs.destination_array import DestinationArray
from tinc_codec.jobs.ledger import Record
from tinc_codec.jobs.plan import Plan
from tinc_codec.jobs.report.figures import array_report
from tinc_codec.jobs.report.summary import Report
from tinc_codec.jobs.scheduler import Failure
from tinc_codec.jobs.work import Work


@dataclass(frozen=True, eq=False)
class Outcome:
    """A job after its last chunk.

    Parameters
    ----------
    plan, arrays
        What was to be done, and the arrays of the destination.
    works
        One for each array, as it was done.
    records
        The ledger's, by array and key.
    skipped
        What was passed over.
    """

    plan: Plan
    arrays: Sequence[DestinationArray]
    works: Sequence[Work]
    records: Mapping[tuple[str, str], Record]
    skipped: Sequence[Failure]

    def _of(self, work: Work) -> list[Record]:
        """What is done of an array, with the settings of this job."""
        passed = {failure.chunk for failure in self.skipped}
        return [
            record
            for record in self.records.values()
            if record.array == work.path and record.fingerprint == work.fingerprint and record.name not in passed
        ]

    def report(self, counts: Counts, seconds: float) -> Report:
        """The job's figures.

        Raises
        ------
        JobError
            Chunks are neither done nor passed over.
        """
        by_path = {array.path: array for array in self.arrays}
        reports, done = [], []
        for work in self.works:
            mine, array = self._of(work), by_path[work.path]
            done += mine
            reports.append(array_report(work.path, mine, None if array.config else array.member.exact))
        missing = self.plan.tasks - len(done) - len(self.skipped)
        if missing:
            raise JobError(f"{missing} of {self.plan.tasks} chunks are not in the ledger: run it again")
        instead = [Failure(record.name, record.instead, "lossless") for record in done if record.instead]
        failures = (*self.skipped, *instead)
        return Report(self.plan, tuple(reports), counts.done, counts.reused, failures, seconds, tuple(done))

    def written(self) -> dict[str, Written]:
        """What was written of each array, for the account."""
        return {work.path: self._written(work) for work in self.works}

    def _written(self, work: Work) -> Written:
        start = f"{work.path}/" if work.path else ""
        passed = tuple(f.chunk.removeprefix(start) for f in self.skipped if f.chunk.startswith(start))
        return Written(work.mode == "copy", len(work.regions), tuple(self._of(work)), passed)
