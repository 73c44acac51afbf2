"""Programs in JavaScript, which run where `.ci/run` has installed their packages."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node"


def need(package):
    """Skip a module whose program cannot run here."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed", allow_module_level=True)
    if not (FOLDER / "node_modules" / package).is_dir():
        pytest.skip(f"{package} is not installed: npm ci --prefix {FOLDER}", allow_module_level=True)


def run(program, *arguments, **environment):
    """The JSON objects that a program prints."""
    command = ["node", FOLDER / program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
