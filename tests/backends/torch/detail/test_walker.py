"""Pieces that are alike at once: the numbers, codes and equations of the reference, which takes one after the other."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import known, plans, random_model
from tinc_codec.detail import reference
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.quantiser import Quantiser, costs_of
from tinc_codec.detail.sample import Sample

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch.detail import walker as module  # noqa: E402  # needs torch
from tinc_codec.backends.torch.detail.ways import Operations  # noqa: E402
from tinc_codec.backends.torch.detail.work import DeviceWork  # noqa: E402

PLAN = Plan((1, 9, 8, 10), (Group((0,), 0), Group((1, 2, 3), 1)), 8)
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def sampled(parts, seed):
    """Some pieces with all that they need, each with a weight."""
    rng = np.random.default_rng(seed)
    pieces = parts.with_needs(rng.permutation(len(parts.pieces))[: 1 + len(parts.pieces) // 2].tolist())
    return Sample(parts, pieces, rng.integers(1, 4, len(pieces)).astype(float))


@settings(max_examples=15)
@given(plans(14), st.integers(0, 2**32 - 1), st.booleans())
def test_pieces_are_quantised_coded_and_weighed_as_by_the_reference(plan, seed, whole):
    model, numbers = random_model(plan, seed)
    rng = np.random.default_rng(seed)
    steps, costs = rng.uniform(0.5, 2, len(plan.bands)), costs_of(model.tables)
    coefficients = (numbers * rng.uniform(0.3, 2, numbers.size)).astype(np.float32)
    sample = Sample.all(model.layout) if whole else sampled(model.layout, seed)
    for device in DEVICES:
        found = []
        for work in (reference, DeviceWork(torch.device(device), reference)):
            quantised = work.placed(np.zeros_like(numbers))
            walker = work.walker(model, quantised)
            tally = walker.tally(sample, Quantiser(work.placed(coefficients), steps, costs))
            rows = [walker.equations(sample, every) for every in (1, 3)]
            again = work.walker(model, quantised, walker.magnitudes)
            arrays = work.on_host(quantised), work.on_host(walker.magnitudes)
            found.append((arrays, tally, rows, again.codes() if whole else []))
        (arrays, tally, rows, codes), (others, tallied, equations, written) = found
        assert all(map(np.array_equal, arrays, others))
        assert np.array_equal(tally.histogram, tallied.histogram)
        assert np.allclose(tally.sums, tallied.sums)
        assert np.array_equal(tally.occupied, tallied.occupied)
        assert np.allclose(rows, equations)
        assert codes == written
        if whole:
            assert np.array_equal(arrays[1], known(model, arrays[0]))


@pytest.mark.parametrize("said", ["", "give other numbers", "fail (ArithmeticError: no such kernel)"])
def test_kernels_are_used_once_they_were_seen_to_do_as_tensor_operations_do(monkeypatch, caplog, said):
    class Kernels(Operations):
        """Stands in for kernels: the same, or not."""

        def quantise(self, tiles, band, counts):
            if said.startswith("fail"):
                raise ArithmeticError("no such kernel")
            magnitudes = super().quantise(tiles, band, counts)
            return magnitudes + 1 if said else magnitudes

    monkeypatch.setattr(module, "Kernels", Kernels)
    monkeypatch.setattr(module, "proofs", {})
    model, numbers = random_model(PLAN, 4)
    quantiser = Quantiser(
        torch.from_numpy(numbers.astype(np.float32)), np.ones(len(PLAN.bands)), costs_of(model.tables)
    )
    work, found = DeviceWork(torch.device("cpu"), reference, kernels=True), []
    with caplog.at_level(logging.WARNING, "tinc_codec"):
        for _ in range(2):
            walker = work.walker(model, work.placed(np.zeros_like(numbers)))
            walker.tally(Sample.all(model.layout), quantiser)
            found.append(work.on_host(walker.magnitudes))
    assert np.array_equal(*found)
    assert list(module.proofs.values()) == [not said]
    assert isinstance(work.walker(model, work.placed(numbers))._way, Kernels) == (not said)
    assert len(caplog.messages) == bool(said)
    assert said in caplog.text
