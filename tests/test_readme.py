"""Every Python block of the README runs, in order, in one directory; the commands are what .ci/run runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_python_blocks_run(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("distributed")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinc_codec.encoding.fit.training.STEPS", dict.fromkeys(range(1, 10), 100))
    names = {"__name__": "__main__"}
    assert blocks("python")
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)


def test_ci_runs_the_commands_as_written():
    assert ".ci/readme_commands.py" in (ROOT / ".ci" / "run").read_text()
    script = [sys.executable, ROOT / ".ci" / "readme_commands.py"]
    commands = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert commands == [line for block in blocks("sh") for line in block.splitlines()]
    assert [command.split()[-1] for command in commands] == ["demo", ".venv-test/bin/pytest"]
    assert all("-c .ci/constraints.txt" in command for command in commands)


def test_tables_show_what_was_measured_last():
    script = [sys.executable, ROOT / "examples" / "figures" / "tables.py"]
    lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len([line for line in lines if line.startswith("|---")]) == 3
    assert [line for line in lines if line and line not in README.splitlines()] == []
