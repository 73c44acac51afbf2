"""How the command line ends: one line and a status, or a traceback where the package is at fault."""

import tinc_codec
from tests.cli.command import tinc
from tinc_codec import JobError


def test_a_job_that_stopped_has_status_1(stored, monkeypatch):
    def stops(*_, **__):
        raise JobError("3 of 8 chunks are not in the ledger:\nrun it again")

    monkeypatch.setattr(tinc_codec, "compress", stops)
    result = tinc("compress", stored, stored.parent / "o.zarr")
    assert result.exit_code == 1
    assert result.stderr == "error: 3 of 8 chunks are not in the ledger: run it again\n"


def test_brackets_in_a_message_are_kept(tmp_path):
    result = tinc("inspect", tmp_path / "a[bold]b")
    assert "a[bold]b" in result.stderr


def test_ctrl_c_has_status_130_and_says_how_to_go_on(stored, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(tinc_codec, "compress", interrupted)
    result = tinc("compress", stored, "o.zarr")
    assert result.exit_code == 130
    assert "goes on with the same options" in result.stderr


def test_a_fault_of_the_package_keeps_its_traceback(stored, monkeypatch):
    def wrong(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(tinc_codec, "compress", wrong)
    result = tinc("compress", stored, "o.zarr")
    assert isinstance(result.exception, ZeroDivisionError)
    assert "report it" in result.exception.__notes__[0]
