"""Whether numba decodes."""

import logging
import sys

import numpy as np
import pytest

from tests.models import decoded, random_model
from tinc_codec import MissingDependencyError, set_process
from tinc_codec.backends import choice
from tinc_codec.tree.node_layout import lay_out


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    choice.forget()
    yield
    choice.forget()


@pytest.mark.usefixtures("without_numba")
def test_without_numba_numpy_decodes_and_asking_for_it_is_an_error(caplog, monkeypatch):
    monkeypatch.setattr(choice, "find_spec", lambda _: None)
    layout = lay_out(random_model(np.random.default_rng(0), (20, 20), "u2"))
    assert choice.backend_name() == "numpy"
    assert (choice.whole(layout) == decoded(layout.model)).all()
    set_process(decoder="numba")
    with pytest.raises(MissingDependencyError, match=r"tinc-codec\[fast\]"):
        choice.whole(layout)
    monkeypatch.setattr(choice, "find_spec", lambda _: "found, but it does not import")
    set_process(decoder="auto")
    choice.forget()
    with caplog.at_level(logging.WARNING, "tinc_codec"):
        assert choice.backend_name() == "numpy"
    assert "decoded by NumPy, slowly" in caplog.text
