"""The script that is run by hand on a GPU runs on a CPU, at tiny sizes, so that it is kept working."""

import json
import os
import time

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")
pytest.importorskip("numba")

from tests.gpu import check
from tinc_codec.encoding import networks


@pytest.mark.usefixtures("few_steps")
def test_every_part_that_starts_no_process_runs_and_says_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(networks, "PROBE", networks.Training(4, 4, 0))
    monkeypatch.setitem(networks.LADDER, 4, networks.Training(4, 2, 2))
    out = tmp_path / "found.json"
    parts = [part for part in check.PARTS if part != "command"]  # what the tests of jobs do all the time
    assert check.main(["--cpu", "--out", str(out), *parts]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(out.read_text())
    assert set(found) == {"of", *parts}
    assert {found[part]["ended"] for part in parts} == {"well"}
    assert found["bytes"]["figures"]["streams of the same bytes"] > 5
    assert any("device" in name for name in found["coefficients"]["figures"])
    for name, figures in {**found["steps"]["figures"], **found["throughput"]["figures"]}.items():
        if isinstance(figures, dict):
            assert all(value > 0 for value in figures.values()), name


def test_a_part_that_fails_or_takes_too_long_leaves_the_others_what_they_found(monkeypatch, capsys):
    from tests.gpu import correctness, speed

    def slow(setting, figures):
        figures["first"] = 1
        time.sleep(60)

    def wrong(setting, figures):
        raise AssertionError("bytes differ")

    monkeypatch.setattr(speed, "steps", slow)
    monkeypatch.setattr(correctness, "kernels", wrong)
    assert check.main(["--cpu", "--seconds", "0.2", "steps"]) == 0
    found = json.loads(capsys.readouterr().out)["steps"]
    assert (found["ended"], found["figures"]) == ("out of time", {"first": 1})
    assert check.main(["--cpu", "kernels"]) == 1
    assert "bytes differ" in json.loads(capsys.readouterr().out)["kernels"]["ended"]


def test_all_parts_together_take_12_minutes_at_most():
    assert sum(seconds for *_, seconds in check.PARTS.values()) <= 12 * 60


def test_parts_that_are_not_known_are_refused(capsys):
    with pytest.raises(SystemExit):
        check.main(["--cpu", "speed"])
    assert "there is no part speed; parts are bytes, kernels" in capsys.readouterr().err
    assert os.environ["TRITON_INTERPRET"] == "1"
