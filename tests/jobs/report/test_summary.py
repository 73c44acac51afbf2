"""Reports in files: JSON or a page, by the ending of the name."""

import json

import pytest

from tests.jobs.report.cases import report
from tinc_codec import ConfigurationError
from tinc_codec.jobs.report.summary import check_place


def test_the_report_is_json_or_a_page(tmp_path):
    report().save(tmp_path / "ä.json")
    read = json.loads((tmp_path / "ä.json").read_text("utf-8"))
    assert read["raw_bytes"] == 6000
    assert read["failures"][0]["instead"] == "lossless"
    report(views=()).save(str(tmp_path / "r.html"))
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(ConfigurationError, match=r"r\.txt must end with \.html or \.json"):
        report().save(tmp_path / "r.txt")


def test_a_report_that_cannot_be_written_says_that_the_job_is_done(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(ConfigurationError, match="No space left on device; the job itself is done"):
        report().save(tmp_path / "r.json")


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


def test_a_directory_that_may_not_be_written_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("tinc_codec.jobs.report.summary.why_unwritable", lambda folder: f"{folder.name} is read-only")
    with pytest.raises(ConfigurationError, match="is read-only; give another name"):
        check_place(tmp_path / "r.html")
