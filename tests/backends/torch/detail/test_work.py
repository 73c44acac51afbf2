"""Coefficients encoded where a device works: any decoder gives the same samples, and goals are kept."""

import inspect
import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import smooth
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Budget, Error, Step, encode
from tinc_codec.detail.work import EncodingWork
from tinc_codec.runtime import shortage

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch.detail.work import DeviceWork, within_memory  # noqa: E402  # needs torch

CPU = torch.device("cpu")
WORK = DeviceWork(CPU, compiled)


def decoded(section, shape):
    """Samples, which both hosts decode alike."""
    wholes = []
    for host in (reference, compiled):
        detail = Detail.parse(section, shape, host)
        wholes.append(detail.whole())
    assert np.array_equal(*wholes)
    scale = detail.parameters.scale
    return np.ldexp(wholes[0].astype(float), scale.exponent) + scale.origin


def names(protocol):
    """Of all methods, those that it has of others too."""
    return {name for name, method in inspect.getmembers(protocol, inspect.isfunction) if name[0] != "_"}


def test_it_has_what_the_protocol_says():
    for name in names(EncodingWork):
        ours, theirs = (list(inspect.signature(getattr(each, name)).parameters) for each in (WORK, EncodingWork))
        assert ours == theirs[1:], name


@settings(max_examples=8)
@given(
    st.lists(st.integers(1, 23), min_size=1, max_size=4).filter(lambda shape: 8 < np.prod(shape) < 6000),
    st.sampled_from(["f8", "f4", "u2"]),
    st.integers(0, 2**32 - 1),
)
def test_goals_are_kept_whatever_the_shape(shape, dtype, seed):
    volume = (smooth(shape, seed) * 100 + 500).astype(dtype)
    shape = tuple(shape)
    budget = 60 + volume.size // 4
    section = encode(volume, Budget(budget), WORK, effort=1)
    assert len(section) <= budget
    decoded(section, shape)
    wanted = float(volume.std()) / 8
    section = encode(volume, Error(wanted), WORK, effort=1)
    error = decoded(section, shape) - volume
    assert np.sqrt(np.mean(error * error)) <= wanted
    assert decoded(encode(volume, Step(np.inf), WORK), shape) == pytest.approx(volume.mean(), rel=1e-3)


def test_a_section_is_that_of_the_reference_where_no_choice_hangs_on_the_last_bits():
    volume = smooth((12, 14, 16)) * 100
    for goal in (Budget(400), Error(5.0)):
        assert encode(volume, goal, WORK, effort=1) == encode(volume, goal, compiled, effort=1)


def test_what_memory_does_not_hold_is_done_by_the_host_and_counted(caplog, monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    shortage.taken()
    asked = []

    def work(who):
        asked.append(who)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "done"

    with caplog.at_level(logging.WARNING, "tinc_codec"):
        assert within_memory(CPU, compiled, work) == "done"
    assert isinstance(asked[0], DeviceWork)
    assert asked[1] is compiled
    assert emptied == [True]
    assert "the CPU encodes it" in caplog.text
    assert shortage.taken() == {shortage.ON_CPU: 1}
