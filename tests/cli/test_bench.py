import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tinc_codec.bench import studies
from tinc_codec.cli.main import app
from tinc_codec.phantom import light_sheet


def tinc(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "[a].npy"
    np.save(file, light_sheet((12, 40, 48)))
    return file


QUICK = ("--effort", 1, "--peers", "sz3,av1")


def test_tables_json_and_a_page(tmp_path, data):
    files = ("--page", tmp_path / "p.html", "--output", tmp_path / "o.json")
    result = tinc("bench", data, "--ratio", "4,8", *files, *QUICK)
    assert result.exit_code == 0, result.output
    for word in ("ratio 4", "ratio 8", "lossless", "tinc, effort 1", "SZ3", "AV1", "Dice", "recall", "[a].npy [0:12"):
        assert word in result.stdout, word
    assert "ratio 8 SZ3" in result.stderr
    assert "data:image/png" in (tmp_path / "p.html").read_text()
    document = json.loads((tmp_path / "o.json").read_text())
    assert len(document["trials"]) + len(document["left_out"]) == 7


def test_one_document_on_stdout(data):
    result = tinc("bench", data, "--noise", 2, "--crop", "0:8,0:32,:", "--json", *QUICK)
    document = json.loads(result.stdout)
    assert document["crop"] == "0:8,0:32,0:48"
    assert document["trials"][0]["max_error"] <= 2 * document["noise"]
    assert "SZ3" in result.stderr


class Line:
    line = "a line"

    def as_json(self):
        return {"effort": self.effort}

    def __init__(self, effort):
        self.effort = effort


@pytest.fixture
def a_study(monkeypatch, tmp_path):
    monkeypatch.setitem(studies.STUDIES, "ratios", lambda effort: iter([Line(effort)]))
    monkeypatch.chdir(tmp_path)


def test_a_study_is_meant_where_data_have_its_name(a_study, tmp_path):
    (tmp_path / "ratios").mkdir()
    assert tinc("bench", "ratios").stdout == "a line\n"
    result = tinc("bench", "ratios", "--effort", 2, "--json", "--output", "o.json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "o.json").read_text()) == [{"effort": 2}]
    assert result.stderr == "a line\n"
    assert json.loads(tinc("bench", "ratios", "--json").stdout) == [{"effort": 3}]
    assert "holds no Zarr array or group" in tinc("bench", "./ratios").stderr


def test_a_narrow_terminal_spares_columns(data, monkeypatch):
    from rich.console import Console

    from tinc_codec.cli import bench

    monkeypatch.setattr(bench, "wide_console", lambda: Console(width=100))
    shown = tinc("bench", data, "--ratio", 8, "--effort", 1, "--peers", "").stdout
    assert "recall" not in shown
    assert "Dice" in shown
    assert "…" not in shown
