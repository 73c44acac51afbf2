import json
import math
import os

import pytest

from tinc_codec.cli.output import check_file, numbers, print_json, progress, wide_console, write
from tinc_codec.errors import ConfigurationError


def test_json_is_all_of_stdout_and_has_null_for_what_is_no_number(capsys):
    print_json({"ratio": math.inf, "all": [1, math.nan, "\u00b5m"]})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"ratio": None, "all": [1, None, "\u00b5m"]}
    assert err == ""


def test_tables_are_wide_where_there_is_no_terminal(capsys):
    wide_console().print("x" * 150)
    assert capsys.readouterr().out == "x" * 150 + "\n"


def test_progress_is_a_line_each_on_stderr_and_takes_brackets_as_they_are(capsys):
    with progress() as show:
        show("chunk [3/4] of " + "a" * 200)
        show("[red]done")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["chunk [3/4] of " + "a" * 200, "[red]done"]


def test_a_file_is_refused_before_any_work_is_done_for_it(tmp_path):
    check_file("page", None)
    check_file("page", tmp_path / "new.html")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match=r"page '.*' is a directory: give the name of a file"):
        check_file("page", tmp_path)
    with pytest.raises(ConfigurationError, match="there is no such folder"):
        check_file("page", tmp_path / "none" / "new.html")


def test_a_name_without_a_folder_lies_where_the_command_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_file("page", tmp_path.relative_to(tmp_path) / "new.html")


def test_files_are_utf8_whatever_the_machine_prefers(tmp_path):
    write("page", tmp_path / "a", "\u00b5m")
    assert (tmp_path / "a").read_bytes() == b"\xc2\xb5m"
    with pytest.raises(ConfigurationError, match=f"page '{tmp_path}{os.sep}none{os.sep}a'"):
        write("page", tmp_path / "none" / "a", "")


def test_numbers_with_commas_between_them():
    assert numbers("ratio", None) == ()
    assert numbers("ratio", "16, 2.5") == (16.0, 2.5)
    whole = numbers("effort", "1,3", whole=True)
    assert whole == (1, 3)
    assert all(isinstance(number, int) for number in whole)


@pytest.mark.parametrize(("text", "whole"), [("", False), ("1,", False), ("a", False), ("1;2", False), ("1.5", True)])
def test_what_are_no_numbers(text, whole):
    kind = "whole numbers" if whole else "must be numbers"
    with pytest.raises(ConfigurationError, match=kind):
        numbers("effort", text, whole)
