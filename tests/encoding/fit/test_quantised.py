"""Weights in training, compiled, are what torch's operations make of them, and so are gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from tinc_codec.backends.numba import training  # noqa: E402
from tinc_codec.encoding.fit import network  # noqa: E402
from tinc_codec.encoding.fit.quantised import InOne, InOperations  # noqa: E402
from tinc_codec.tree.partition import partition  # noqa: E402
from tinc_codec.tree.structure import Level, Tree  # noqa: E402

CPU = torch.device("cpu")


def drawn(seed, chunks, size):
    rng = np.random.default_rng(seed)
    tree = Tree(partition((8, 8, 8), 1), (Level(2, (int(rng.integers(1, 6)),), np.ones(1, np.uint8)),))
    index = network.index(tree, CPU, chunks)
    theta = torch.as_tensor(rng.laplace(0, size, (chunks, tree.parameters)), dtype=torch.float32)
    steps = torch.as_tensor(rng.normal(-1, 0.5, index.counts.shape), dtype=torch.float32)
    return index, theta, steps, rng


def all_of(quantiser, theta, steps, noise, pull):
    theta, steps = theta.clone().requires_grad_(), steps.clone().requires_grad_()
    weights, bits = quantiser(theta, steps, noise)
    ((weights * pull).sum() + (bits * torch.arange(1.0, 1 + len(bits))).sum()).backward()
    return weights.detach(), bits.detach(), theta.grad, steps.grad


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    chunks=st.integers(1, 3),
    size=st.sampled_from([0.0, 0.05, 1.0, 30.0]),
    rounding=st.booleans(),
)
def test_the_twin_gives_the_same_weights_bits_and_gradients(seed, chunks, size, rounding):
    index, theta, steps, rng = drawn(seed, chunks, size)
    noise = None if rounding else torch.as_tensor(rng.uniform(-0.5, 0.5, theta.shape), dtype=torch.float32)
    pull = torch.as_tensor(rng.normal(0, 1, theta.shape), dtype=torch.float32)
    expected = all_of(InOperations(index), theta, steps, noise, pull)
    got = all_of(InOne(training, index), theta, steps, noise, pull)
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-4 * float(other.abs().max()) + 1e-6)


def test_what_is_no_number_stays_none():
    index, theta, steps, _ = drawn(0, 2, 1.0)
    theta[1, 0] = torch.nan
    weights, bits, of_theta, _ = all_of(InOne(training, index), theta, steps, torch.zeros_like(theta), theta * 0 + 1)
    assert torch.isfinite(bits).tolist() == [True, False]
    assert torch.isfinite(weights).all(1).tolist() == [True, False]
    assert torch.isfinite(of_theta[0]).all()


def test_bits_alone_or_weights_alone_have_gradients():
    index, theta, steps, _ = drawn(3, 1, 1.0)
    for number in range(2):
        given = theta.clone().requires_grad_()
        InOne(training, index)(given, steps, None)[number].sum().backward()
        expected = theta.clone().requires_grad_()
        InOperations(index)(expected, steps, None)[number].sum().backward()
        torch.testing.assert_close(given.grad, expected.grad, rtol=1e-4, atol=1e-5)
