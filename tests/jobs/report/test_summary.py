"""Reports in files."""

import json

import pytest

import tinc_codec
from tests.jobs.results import QUIET, compress
from tinc_codec import ConfigurationError
from tinc_codec.jobs.report.summary import check_place


def test_a_report_that_cannot_be_written_says_that_the_job_is_done(tmp_path, source, bounded, client, monkeypatch):
    report = compress(source, tmp_path / "b.zarr", bounded, client)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(tinc_codec.ConfigurationError, match="the job itself is done"):
        report.save(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("r.txt", "must end with"),
        ("no/r.html", "no directory"),
        ("file/r.json", "no directory"),
        ("d.html", "is a dir"),
    ],
)
def test_reports_that_cannot_be_written(tmp_path, name, words):
    (tmp_path / "file").write_text("x")
    (tmp_path / "d.html").mkdir()
    with pytest.raises(ConfigurationError, match=words):
        check_place(tmp_path / name)
    check_place(tmp_path / "r.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.html", "file"]


def test_the_report_is_json_and_a_page(tmp_path, ome, bounded, client):
    pytest.importorskip("matplotlib")
    report = tinc_codec.compress(ome("0.5"), tmp_path / "b.zarr", bounded, client=client, **QUIET)
    report.save(tmp_path / "r.json")
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["raw_bytes"] == report.raw_bytes
    assert len(read["records"]) == report.plan.tasks
    report.save(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/png;base64,") == 4  # slices, and maps with histograms, of two levels
    assert 'src="http' not in page
    assert "copied: a label image" in page
    with pytest.raises(ConfigurationError, match=r"\.html or \.json"):
        report.save(tmp_path / "r.txt")
