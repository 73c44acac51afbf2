"""Who evaluates, in how many threads."""

import logging
import sys
import threading

import numpy as np
import pytest

from tests.models import random_model
from tinc_codec import MissingDependencyError, set_process
from tinc_codec.tree import evaluation, inference, threads
from tinc_codec.tree.paths import lay_out


@pytest.fixture
def without_numba(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] in ("numba", "llvmlite") or "numba" in name]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("jit", "microkernel"):
        monkeypatch.delitem(sys.modules, f"tinc_codec.tree.{name}", raising=False)
    monkeypatch.delattr("tinc_codec.tree.inference_numba", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    evaluation._decoder.cache_clear()
    yield
    evaluation._decoder.cache_clear()


@pytest.mark.usefixtures("without_numba")
def test_without_numba_numpy_decodes_and_asking_for_it_is_an_error(caplog, monkeypatch):
    monkeypatch.setattr(evaluation, "find_spec", lambda _: None)
    paths = lay_out(random_model(np.random.default_rng(0), (20, 20), "u2"))
    assert not evaluation.compiled()
    assert (evaluation.whole(paths) == inference.decode(paths.model)).all()
    set_process(decoder="numba")
    with pytest.raises(MissingDependencyError, match=r"tinc-codec\[fast\]"):
        evaluation.whole(paths)
    monkeypatch.setattr(evaluation, "find_spec", lambda _: "found, but it does not import")
    set_process(decoder="auto")
    evaluation._decoder.cache_clear()
    with caplog.at_level(logging.WARNING, "tinc_codec"):
        assert not evaluation.compiled()
    assert "decoded by NumPy, slowly" in caplog.text


def test_work_is_shared_and_what_it_calls_is_not_divided_again(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    done = []

    def inner(number):
        done.append((threading.get_ident(), number))

    def outer(number):
        threads.spread(lambda part: inner((number, part)), [1] * 8, 1)  # would wait for its own pool for ever

    threads.spread(outer, [1] * 16, 1)
    assert sorted(number for _, number in done) == [(a, b) for a in range(16) for b in range(8)]
    assert len({thread for thread, _ in done}) > 1
    done.clear()
    threads.spread(inner, [1] * 16, 100)
    assert {thread for thread, _ in done} == {threading.get_ident()}
    assert [number for _, number in done] == list(range(16))


def test_one_thread_is_one_thread():
    set_process(threads=1)
    seen = set()
    threads.spread(lambda _: seen.add(threading.get_ident()), [1] * 8, 1)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("place", [0, 7])
def test_an_error_in_any_share_comes_out(place, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 2)

    def work(number):
        if number == place:
            raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        threads.spread(work, [1] * 8, 1)
    threads.spread(lambda _: None, [1] * 8, 1)
