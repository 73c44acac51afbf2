"""A job's report is made of what the ledger has of it, with its own settings."""

from types import SimpleNamespace

import pytest

from tests.jobs.report.cases import plan, record
from tinc_codec.errors import JobError
from tinc_codec.jobs.counts import Counts
from tinc_codec.jobs.outcome import Outcome
from tinc_codec.jobs.scheduler import Failure

LABELS = "labels/[ä]"


def work(path, mode, regions):
    return SimpleNamespace(path=path, mode=mode, fingerprint="f", regions=[()] * regions)


def outcome(*records, skipped=()):
    arrays = (
        SimpleNamespace(path="0", config=object()),
        SimpleNamespace(path=LABELS, config=None, member=SimpleNamespace(exact="a label image")),
    )
    works = (work("0", "encode", 2), work(LABELS, "copy", 1))
    by_key = {(each.array, each.key): each for each in records}
    return Outcome(plan(), arrays, works, by_key, skipped)


def test_all_chunks_make_a_report():
    done = (record(index=(0, 0, 0)), record(index=(1, 0, 0), instead="RuntimeError: no"), record(LABELS, (0, 0)))
    report = outcome(*done).report(Counts(3, lambda *_: None), 2.5)
    assert [(array.path, array.chunks, array.copied) for array in report.arrays] == [
        ("0", 2, None),
        (LABELS, 1, "a label image"),
    ]
    assert report.failures == (Failure("0/c/1/0/0", "RuntimeError: no", "lossless"),)
    assert (report.seconds, len(report.records)) == (2.5, 3)


def test_records_of_other_settings_do_not_count():
    other = record(index=(1, 0, 0), fingerprint="of an earlier run")
    with pytest.raises(JobError, match="1 of 3 chunks are not in the ledger: run it again"):
        outcome(record(), other, record(LABELS, (0, 0))).report(Counts(3, lambda *_: None), 1.0)


def test_what_was_passed_over_is_said_and_is_not_missing():
    skipped = (Failure("0/c/1/0/0", "OSError: gone", "skipped"),)
    late = outcome(record(), record(index=(1, 0, 0)), record(LABELS, (0, 0)), skipped=skipped)
    report = late.report(Counts(3, lambda *_: None), 1.0)
    assert report.failures == skipped
    assert report.arrays[0].chunks == 1
    written = late.written()
    assert (written["0"].copied, written["0"].expected, written["0"].skipped) == (False, 2, ("c/1/0/0",))
    assert (written[LABELS].copied, written[LABELS].skipped, len(written[LABELS].records)) == (True, (), 1)
