"""The page: whatever cannot be drawn is said."""

import sys

from tests.jobs.results import compress


def test_a_report_without_matplotlib_says_so(tmp_path, source, bounded, client, monkeypatch):
    report = compress(source, tmp_path / "b.zarr", bounded, client)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report.save(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count("Not drawn: MissingDependencyError") == 2
    assert "12 chunks written" in page
