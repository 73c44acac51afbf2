"""Kernels of passes compile for GPUs that need not be there; what they compute is tested with `ways`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

from tinc_codec.backends.triton import passes
from tinc_codec.detail import contexts


def test_places_of_factors_follow_each_other():
    assert 1 + len(contexts.SIDES) == passes.OWN_PLACE
    assert passes.MAP_PLACE == passes.OWN_PLACE + contexts.MAPS - contexts.OWN
    assert passes.CONSTANT_PLACE == passes.MAP_PLACE + contexts.MEAN - contexts.MAPS
    assert passes._CONSTANT.value == passes.CONSTANT_PLACE


def test_kernels_are_compiled_and_need_no_stack():
    command = [sys.executable, str(Path(__file__).with_name("compiled.py")), "90"]
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 5
    for name, each in found.items():
        assert each["stack"] == 0, name
        assert each["registers"] <= 128, name
