import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.config import Config
from tinc_codec.encoding.allocation import CLASSES, allocate, choose_levels, constant_leaves, otsu_threshold, similarity
from tinc_codec.parsing import INTER_LEVEL, INTRA_LEVEL
from tinc_codec.tree.structure import NO_NETWORK


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple) | st.tuples(*[st.integers(1, 17)] * 4),
    parameters=st.integers(1, 20000),
    levels=st.sampled_from(["auto", 1, 2, 3, 5]),
    inter=st.sampled_from(INTER_LEVEL),
    intra=st.sampled_from(INTRA_LEVEL),
    seed=st.integers(0, 9),
)
def test_the_budget_is_never_exceeded(shape, parameters, levels, inter, intra, seed):
    volume = noise(shape, seed) * (np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) > shape[0] // 2)
    allocation = allocate(volume, parameters, Config(levels=levels, inter_level=inter, intra_level=intra))
    if allocation is not None:
        assert allocation.tree.parameters <= parameters
        assert allocation.inter_level in ("shallow", "even", "deep")
        assert allocation.intra_level in ("equal", "variance", "importance")
        assert all(len(level.widths) <= CLASSES for level in allocation.tree.levels)


@pytest.mark.parametrize("intra", ["equal", "variance", "importance"])
@pytest.mark.parametrize("shape", [(64, 64, 64), (24, 256, 256), (65, 70, 33), (400, 300)])
def test_most_of_a_generous_budget_is_used(shape, intra):
    parameters = int(np.prod(shape)) // 20
    allocation = allocate(noise(shape), parameters, Config(intra_level=intra))
    assert 0.85 * parameters <= allocation.tree.parameters <= parameters


def test_a_budget_for_nothing_gives_no_tree():
    assert allocate(noise((20, 20)), 2, Config()) is None


def test_constant_blocks_cost_no_network():
    volume = np.full((64, 64, 64), 7.0)
    volume[:20, :20, :20] = noise((20, 20, 20))
    allocation = allocate(volume, 5000, Config(levels=3))
    leaves = allocation.tree.levels[-1].classes
    assert np.count_nonzero(leaves == NO_NETWORK) == 64 - 8
    assert len(allocation.tree.leaves) == 8
    # no ancestor of constant blocks only has a network either
    assert np.count_nonzero(allocation.tree.levels[1].classes == NO_NETWORK) == 7


def test_nearly_constant_blocks_count_as_constant_within_the_tolerance():
    volume = np.zeros((32, 32))
    volume[:16] = 1000 * noise((16, 32))
    volume[16:, :16] = 0.5 * noise((16, 16))
    count = {t: np.count_nonzero(constant_leaves(volume, 1000, t)[2]) for t in (0.0, 0.01)}
    assert count == {0.0: 1, 0.01: 2}


def test_many_different_constants_get_networks_instead_when_their_values_would_eat_the_budget():
    volume = np.kron(np.arange(256.0).reshape(16, 16), np.ones((8, 8)))
    constant = constant_leaves(volume, 100, 0.0)
    assert not constant[5].any()
    assert constant_leaves(volume, 100000, 0.0)[5].all()


def test_levels_follow_the_budget():
    active = {1: 1, 2: 8, 3: 64, 4: 512}
    chosen = [choose_levels(parameters, active) for parameters in (100, 5_000, 50_000, 10_000_000)]
    assert chosen == sorted(chosen)
    assert chosen[0] == 1
    assert chosen[-1] == 4


def test_shares_of_the_levels_are_as_asked_for():
    volume = noise((64, 64, 64))
    shares = {}
    for name in ("shallow", "even", "deep"):
        tree = allocate(volume, 40000, Config(levels=3, inter_level=name, intra_level="equal")).tree
        shares[name] = sum(t.weights + t.biases for t in tree.tensors if t.level == 2) / tree.parameters
    assert shares["shallow"] < shares["even"] < shares["deep"]
    tree = allocate(volume, 40000, Config(levels=3, inter_level=(0.2, 0.3, 0.5), intra_level="equal")).tree
    for level, share in enumerate((0.2, 0.3, 0.5)):
        got = sum(t.weights + t.biases for t in tree.tensors if t.level == level) / tree.parameters
        assert abs(got - share) < 0.07


@pytest.mark.parametrize("intra", ["variance", "importance"])
def test_busy_blocks_get_wider_networks(intra):
    volume = 0.2 * noise((64, 64, 64))
    volume[:32] += 3 + 5 * noise((32, 64, 64))
    level = allocate(volume, 20000, Config(levels=3, intra_level=intra)).tree.levels[-1]
    widths = np.array([0, *level.widths])[level.classes]
    assert widths[:32].mean() > 1.5 * widths[32:].mean()


def test_auto_divides_evenly_between_alike_blocks_and_unevenly_between_unlike_ones():
    even = noise((64, 64))
    uneven = even * np.repeat([0.01, 3.0], 32)[:, None]
    assert allocate(even, 3000, Config()).intra_level == "equal"
    assert allocate(uneven, 3000, Config(levels=3)).intra_level == "variance"


def test_similarity_tells_repetition_from_variety():
    def waves(frequencies):
        return np.concatenate([np.sin(2 * np.pi * f * np.arange(16) / 16) for f in frequencies])

    assert similarity(waves([3] * 64)) > 0.99
    assert similarity(waves(1 + np.arange(64) // 3 % 7)) < 0.6
    assert similarity(np.zeros(64)) == 1
    assert similarity(1e-200 * waves([1, 2, 3, 4])) == 1


def test_otsu_lies_between_two_populations():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(10, 1, 9000), rng.normal(50, 3, 1000)])
    assert 14 < otsu_threshold(values) < 42
    assert np.isfinite(otsu_threshold(np.zeros(5)))


def test_a_large_anisotropic_chunk_is_allocated():
    allocation = allocate(noise((24, 1116, 627)), 400_000, Config(ratio=200))
    assert allocation.tree.parameters <= 400_000
    assert allocation.tree.partition.shape == (24, 1116, 627)
