"""The page: all figures, pictures in it, and whatever cannot be drawn is said."""

import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.jobs.report.cases import record, report
from tinc_codec.jobs.report.figures import Picture
from tinc_codec.jobs.report.html import montage, page


class Tags(HTMLParser):
    """The tags of a page, which must be closed in the order in which they are opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_has_figures_pictures_and_reasons_and_nothing_from_elsewhere():
    pytest.importorskip("matplotlib")
    text = page(report())
    tags = Tags(text)
    assert tags.seen.count("img") == 2  # slices, and maps with histograms
    assert "http" not in text
    for words in (
        "b [1] <i>.zarr: 6 kB in 150 B (40.0x)",
        "Asked for: psnr=45.0. 2 chunks written and 1 found done",
        "copied: a label image",
        "0/c/9/9/9 is lossless: RuntimeError: <no> [bold]",
        "no picture of x & y",
        "[10:11, 0:10, 0:10]",
    ):
        assert words in tags.text


def test_what_the_memory_of_devices_did_not_hold_is_on_the_page():
    assert "GPUs" not in page(report())
    assert "1 chunk was worked on by the CPU" in page(report(records=(record(short={"on_cpu": 1}),)))


def test_a_report_without_matplotlib_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    text = Tags(page(report())).text
    assert text.count("Not drawn: MissingDependencyError: the page needs matplotlib") == 2
    assert "2 chunks written" in text


def test_arrays_that_lost_nothing_are_said_to_be_lossless():
    exact = tuple(record(index=(n, 0, 0), squares=0.0, max_error=0.0) for n in range(3))
    assert "Every chunk is lossless." in page(report(records=exact, views=()))


@pytest.mark.parametrize("plane", [np.zeros((1, 900)), np.full((4, 4), np.nan), np.array([[1, np.inf], [2, 3]])])
def test_planes_of_any_kind_are_drawn(plane):
    pytest.importorskip("matplotlib")
    picture = Picture("0", (slice(0, 1), slice(0, 1)), plane, plane)
    assert "Not drawn" not in page(report(views=(picture,), records=()))


@pytest.mark.parametrize("grid", [(), (3,), (2, 3), (2, 3, 4), (2, 1, 3, 2)])
def test_a_montage_has_every_value_once_and_gaps_between_panels(grid):
    values = {index: float(number + 1) for number, index in enumerate(np.ndindex(*grid))}
    picture = montage(values)
    assert sorted(picture[np.isfinite(picture)].tolist()) == sorted(values.values())
    if len(grid) > 2:
        assert np.isnan(picture).any()
