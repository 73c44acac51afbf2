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


def test_coefficients_of_large_chunks_are_encoded_where_the_process_says(monkeypatch):
    torch = pytest.importorskip("torch")
    from tinc_codec.backends.torch import inference

    def asked(device, voxels):
        set_process(device=device)
        return choice.with_coefficients(voxels, lambda work: work)

    host, large = choice.backend().detail, choice.LEAST_ON_DEVICE
    monkeypatch.setattr(inference, "find_device", torch.device)
    for device in ("auto", "cpu", "cuda:0"):
        assert asked(device, large - 1) is host
    assert asked("auto", large) is host
    assert asked("cpu", large) is host
    on_device = asked("cuda:0", large)
    assert (on_device.device, on_device.host) == (torch.device("cuda:0"), host)
