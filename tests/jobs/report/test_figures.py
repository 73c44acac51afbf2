"""Figures of arrays and jobs follow from those of their chunks."""

import json

import numpy as np
import pytest

from tests.jobs.report.cases import record, report
from tinc_codec import metrics
from tinc_codec.jobs.report.figures import array_report, psnr_over


def test_an_arrays_figures_are_those_of_its_chunks_together():
    rng = np.random.default_rng(0)
    original = rng.normal(100, 30, (4, 1000))
    decoded = original + rng.normal(0, 1, original.shape)
    records = [
        record(
            index=(number,),
            squares=float(((a - b) ** 2).sum()),
            max_error=float(np.abs(a - b).max()),
            low=float(a.min()),
            high=float(a.max()),
            memory=number,
            kinds={"detail": 1} if number else {"lossless": 2},
        )
        for number, (a, b) in enumerate(zip(original, decoded, strict=True))
    ]
    array = array_report("0", records, None)
    assert array.psnr == pytest.approx(metrics.psnr(original, decoded, float(np.ptp(original))))
    assert array.max_error == np.abs(original - decoded).max()
    assert (array.raw_bytes, array.stored_bytes, array.ratio) == (8000, 200, 40)
    assert (array.chunks, array.verified, array.worker_memory) == (4, 4, 3)
    assert array.kinds == {"detail": 3, "lossless": 2}
    assert array.worker_seconds == 2


def test_without_loss_or_without_anything_finite_there_is_no_psnr():
    assert psnr_over([]) is None
    assert psnr_over([record(squares=0.0)]) is None
    assert psnr_over([record(low=None, high=None)]) is None
    nothing = array_report("", [], "empty")
    assert (nothing.ratio, nothing.max_error, nothing.kinds, nothing.copied) == (0, 0.0, {}, "empty")


def test_a_jobs_figures_are_sums_and_only_what_it_wrote_counts_for_its_speed():
    figures = report()
    assert figures.raw_bytes == 6000
    assert figures.stored_bytes == 150
    assert figures.ratio == 40
    assert figures.throughput == pytest.approx(6000 * 2 / 3 / 4)
    assert report(done=0, reused=3).throughput == 0


def test_json_holds_every_chunk_and_no_pictures():
    read = json.loads(json.dumps(report().as_json()))
    assert [r["key"] for r in read["records"]] == ["c/0/0/0", "c/1/0/0", "c/0/0"]
    assert "views" not in read
    assert (read["raw_bytes"], read["plan"]["tasks"], read["ratio"]) == (6000, 3, 40)


def test_a_job_says_how_often_the_memory_of_devices_was_too_small_and_what_avoids_it():
    assert report().shortage == ""
    given = (record(short={"on_cpu": 1}), record(index=(1, 0, 0), short={"on_cpu": 1, "halved": 1}), record())
    text = report(records=given).shortage
    assert text.startswith("the memory of the GPUs was too small: 1 batch was trained in halves and 2 chunks were work")
    assert "fewer workers for each GPU" in text
    assert report(records=given).as_json()["shortage"] == text
    assert "2 batches were trained in halves; fewer" in report(records=(record(short={"halved": 2}),)).shortage
