"""The examples run, in order, as their first lines say."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("[0-9]*.py"))


def test_every_example_runs(tmp_path):
    pytest.importorskip("torch")
    assert EXAMPLES
    for example in EXAMPLES:
        done = subprocess.run([sys.executable, example, tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip(), f"{example.name} shows nothing"
