"""Compiled code that is kept counts only as long as every file that it depends on is the same."""

import subprocess
import sys

import pytest

pytest.importorskip("numba")

SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from tinc_codec.backends.numba import compiler
compiler.sources = lambda: {stamp!r}
import compiled
print(compiled.triple(14), sum(compiled.triple.stats.cache_hits.values()))
"""


def run(folder, stamp):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(folder=str(folder), stamp=stamp)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_kept_code_depends_on_other_files(tmp_path):
    (tmp_path / "compiled.py").write_text(
        "from tinc_codec.backends.numba.compiler import jit\n"
        "from number import FACTOR\n"
        "@jit\n"
        "def triple(x):\n"
        "    return FACTOR * x\n"
    )
    (tmp_path / "number.py").write_text("FACTOR = 3\n")
    assert run(tmp_path, "as it was") == ["42", "0"]
    assert run(tmp_path, "as it was") == ["42", "1"]
    (tmp_path / "number.py").write_text("FACTOR = 30\n")
    assert run(tmp_path, "changed") == ["420", "0"]


def test_every_file_that_compiled_code_takes_numbers_from_is_among_the_sources():
    from tinc_codec.backends.numba import compiler

    names = {name for name, _, _ in compiler.sources()}
    assert {"microkernel.py", "entropy.py", "interlace.py", "tokens.py", "prediction.py", "model.py"} <= names
