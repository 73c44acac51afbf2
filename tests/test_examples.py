"""The examples run, in order, as their first lines say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("[0-9]*.py"))

RUNNER = """
import contextlib, io, json, runpy, sys
folder, *examples = sys.argv[1:]
shown = []
for example in examples:
    sys.argv = [example, folder]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(example, run_name="__main__")
    shown.append(out.getvalue())
print(json.dumps(shown))
"""
"""As commands would run them, but that libraries are imported once."""


def batches():
    """Examples that one process may run: one that takes a library away has its own."""
    kept = [example for example in EXAMPLES if "sys.modules" not in example.read_text()]
    return [kept, *([example] for example in EXAMPLES if example not in kept)]


def test_every_example_runs(tmp_path):
    pytest.importorskip("torch")
    assert EXAMPLES
    for batch in batches():
        command = [sys.executable, "-c", RUNNER, tmp_path, *batch]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for example, shown in zip(batch, json.loads(done.stdout.splitlines()[-1]), strict=True):
            assert shown.strip(), f"{example.name} shows nothing"
