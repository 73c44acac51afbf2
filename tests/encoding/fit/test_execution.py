"""How training is run is decided in one place, and said."""

import logging

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tinc_codec import ConfigurationError, set_process  # noqa: E402
from tinc_codec.backends.torch.chained import ChainedTree  # noqa: E402
from tinc_codec.encoding.fit import execution as module  # noqa: E402
from tinc_codec.encoding.fit.execution import Execution, evaluator, execution, quantiser, runner, threads  # noqa: E402
from tinc_codec.encoding.fit.network import LayeredTree, index  # noqa: E402
from tinc_codec.encoding.fit.quantised import InOne, InOperations  # noqa: E402
from tinc_codec.encoding.fit.step import EagerStep  # noqa: E402
from tinc_codec.tree.partition import partition  # noqa: E402
from tinc_codec.tree.structure import Level, Tree  # noqa: E402

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")


def tree(width=8):
    return Tree(partition((8, 8, 8), 1), (Level(2, (width,), np.ones(1, np.uint8)),))


@pytest.fixture
def installed(monkeypatch):
    """Triton is there, and compiles for GPUs."""
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    monkeypatch.setattr(module, "find_spec", lambda _: object())


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("training", "fused", "graph"),
    [("auto", True, True), ("fused", True, True), ("graph", False, True), ("eager", False, False)],
)
def test_a_gpu_does_what_is_asked_for(training, fused, graph):
    chosen = execution(tree(), GPU, training)
    assert (chosen.fused, chosen.graph) == (fused, graph)
    assert bool(chosen.reason) == (not fused)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("training", ["auto", "fused"])
def test_trees_that_kernels_do_not_hold_are_evaluated_layer_by_layer_in_a_graph(training):
    assert execution(tree(33), GPU, training) == Execution(False, True, "a layer of 33 is wider than 32")


def test_without_triton_a_gpu_has_the_graph_alone(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert execution(tree(), GPU, "auto") == Execution(False, True, "Triton is not installed")
    with pytest.raises(ConfigurationError, match="Triton is not installed; choose 'auto'"):
        execution(tree(), GPU, "fused")


def test_a_cpu_is_eager_and_says_what_it_cannot_do(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    for training in ("auto", "eager"):
        chosen = execution(tree(), CPU, training)
        assert (chosen.fused, chosen.graph) == (False, False)
    with pytest.raises(ConfigurationError, match="'graph' needs a CUDA device, not 'cpu'"):
        execution(tree(), CPU, "graph")
    with pytest.raises(ConfigurationError, match="'fused' is not possible: kernels need a CUDA device"):
        execution(tree(), CPU, "fused")


def test_what_is_chosen_is_said(caplog):
    pytest.importorskip("triton")
    set_process(training="fused")
    with caplog.at_level(logging.DEBUG, "tinc_codec"):
        fused = evaluator(tree(), index(tree(), CPU))
        layered = evaluator(tree(40), index(tree(40), CPU))
    assert isinstance(fused, ChainedTree)
    assert isinstance(layered, LayeredTree)
    assert "evaluates by a fused kernel" in caplog.messages[0]
    assert "layer by layer: a layer of 40 is wider than 32" in caplog.messages[1]
    assert isinstance(runner(tree(), print, [], CPU), EagerStep)


def test_a_cpu_compiles_what_it_can_and_torch_has_one_thread_beside_it(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv("TRITON_INTERPRET", "0")

    def chosen(given, **settings):
        set_process(**settings)
        parts = index(given, CPU)
        kinds = type(evaluator(given, parts)), type(quantiser(parts))
        set_process()
        return *kinds, threads(given, CPU, 5)

    assert chosen(tree(40)) == (ChainedTree, InOne, 1)
    assert chosen(tree(65)) == (LayeredTree, InOne, 5)
    for settings in ({"training": "eager"}, {"decoder": "numpy"}):
        assert chosen(tree(40), **settings)[:2] == (LayeredTree, InOperations)
        set_process(**settings)
        assert threads(tree(40), CPU, 5) == 5
        set_process()
    assert threads(tree(40), GPU, 5) == 5
