"""Whether numba decodes."""

import logging
import sys

import numpy as np
import pytest

from tests.models import decoded, random_model
from tinc_codec import MissingDependencyError, set_process
from tinc_codec.backends import choice as evaluation
from tinc_codec.backends.numba import compiler as jit
from tinc_codec.tree.node_layout import lay_out


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    jit._usable.cache_clear()
    yield
    jit._usable.cache_clear()


@pytest.mark.usefixtures("without_numba")
def test_without_numba_numpy_decodes_and_asking_for_it_is_an_error(caplog, monkeypatch):
    monkeypatch.setattr(jit, "find_spec", lambda _: None)
    layout = lay_out(random_model(np.random.default_rng(0), (20, 20), "u2"))
    assert not jit.compiled()
    assert (evaluation.whole(layout) == decoded(layout.model)).all()
    set_process(decoder="numba")
    with pytest.raises(MissingDependencyError, match=r"tinc-codec\[fast\]"):
        evaluation.whole(layout)
    monkeypatch.setattr(jit, "find_spec", lambda _: "found, but it does not import")
    set_process(decoder="auto")
    jit._usable.cache_clear()
    with caplog.at_level(logging.WARNING, "tinc_codec"):
        assert not jit.compiled()
    assert "decoded by NumPy, slowly" in caplog.text
