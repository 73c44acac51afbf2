import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.hosts.regions import Regions, within


@st.composite
def grids(draw):
    rank = draw(st.integers(1, 4))
    sides = st.lists(st.integers(1, 9), min_size=rank, max_size=rank)
    return Regions(tuple(draw(sides)), tuple(draw(sides)))


@given(grids())
def test_regions_cover_every_voxel_once(regions):
    seen = np.zeros(regions.shape, int)
    indices = list(regions)
    assert len(indices) == len(regions) == len(set(indices))
    for index in indices:
        seen[regions.at(index)] += 1
    assert (seen == 1).all()


@given(grids(), st.integers(1, 12))
def test_samples_are_distinct_regions(regions, number):
    sample = regions.sample(number)
    assert len(sample) == len(set(sample)) == min(number, len(regions))
    assert set(sample) <= set(regions)


@given(grids(), st.integers(1, 4))
def test_chunks_within_a_shard(regions, edge):
    shards = Regions(regions.shape, tuple(edge * n for n in regions.unit))
    seen = np.zeros(regions.shape, int)
    for index in shards:
        shard = seen[shards.at(index)]
        for chunk in within(shards.at(index), regions.unit):
            shard[chunk] += 1
    assert (seen == 1).all()
