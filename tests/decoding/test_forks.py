"""A process may fork while its threads decode: the child decodes, too. ``tests/forks.py`` is the same by hand."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tinc_codec

ROOT = Path(tinc_codec.__file__).parent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.mark.parametrize("decoder", ["numpy", "numba"])
def test_children_decode_whatever_their_parents_threads_do(decoder):
    if decoder == "numba":
        pytest.importorskip("numba")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.forks", "20", decoder]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 20" in done.stdout


def test_no_attribute_is_computed_behind_a_lock():
    """`functools.cached_property` has one for all instances on Python 3.11; `tinc_codec.runtime.lazy` has none."""
    for file in ROOT.rglob("*.py"):
        names = {alias.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)
                 for alias in node.names}  # fmt: skip
        assert "cached_property" not in names, file


def test_a_file_with_a_lock_says_what_becomes_of_it_at_a_fork():
    for file in ROOT.rglob("*.py"):
        text = file.read_text()
        for local in ("with ThreadPoolExecutor(", "= _Waiting(Condition("):  # ends with the function that made it
            text = text.replace(local, "")
        if any(f"{kind}(" in text for kind in ("Lock", "RLock", "Semaphore", "Condition", "ThreadPoolExecutor")):
            assert "register_at_fork" in text or "FileLock(" in text, file
