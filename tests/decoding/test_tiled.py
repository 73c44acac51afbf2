"""A residual's tiles: whole, in products, at points and on lattices the same samples, each tile decoded once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import random_residual, random_stream
from tinc_codec.decoding import tiled
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.encoding.residual import volume as encoder

SHAPE = (24, 40, 32)


@pytest.fixture(scope="module", autouse=True)
def small_tiles():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "TILE_VOXELS", 2**13)
        yield


def chunk_of(seed=0, shape=SHAPE, **settings):
    return Chunk.of(random_residual(np.random.default_rng(seed), shape, "u2", "C", 3, **settings)[0])


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), model=st.booleans(), exact=st.booleans())
def test_parts_are_those_of_the_whole(seed, model, exact):
    rng = np.random.default_rng(seed)
    residual = chunk_of(seed, SHAPE, model=model, exact=exact).residual
    whole = residual.whole()
    assert len(residual.codes) > 1
    indices = [np.sort(rng.integers(0, n, int(rng.integers(1, 9)))) for n in whole.shape]
    assert residual.at_product(indices).tobytes() == whole[np.ix_(*indices)].tobytes()
    points = np.stack([rng.integers(0, n, 12) for n in whole.shape])
    assert residual.at_points(points).tobytes() == whole[tuple(points)].tobytes()


@pytest.mark.parametrize("level", [0, 1, 2, 9])
def test_a_lattice_is_every_tile_s_own(level):
    residual = chunk_of(model=False).residual
    whole, (samples, positions) = residual.whole(), residual.lattice(level)
    assert samples.tobytes() == whole[np.ix_(*positions)].tobytes()
    every = 2 ** min(level, residual.parameters.levels)
    for along, borders in zip(positions, residual.borders, strict=True):
        tile = np.searchsorted(borders, along, side="right") - 1
        assert ((along - borders[tile]) % every == 0).all()
        assert (np.diff(along) > 0).all()


def test_only_the_tiles_that_are_touched_are_decoded_and_they_are_kept(monkeypatch):
    residual = chunk_of(model=False).residual
    assert len(residual.codes) == len(residual.places) > 1
    before = residual.nbytes
    place = residual.places[-1]
    residual.at_product([np.array([part.stop - 1]) for part in place])
    tile = residual.tile(len(residual.places) - 1)
    assert residual.nbytes - before == tile.nbytes
    monkeypatch.setattr(tiled.tiles, "base_of", None)  # what is decoded again fails
    residual.at_product([np.arange(part.start, part.stop) for part in place])
    with pytest.raises(TypeError):
        residual.tile(0)


def test_the_whole_keeps_no_tile():
    residual = chunk_of().residual
    before = residual.nbytes
    assert residual.whole().shape == SHAPE
    assert residual.nbytes == before


def test_a_chunk_without_one_has_none():
    chunk = Chunk.of(random_residual(np.random.default_rng(0), (20, 30), "u2", "C", 1)[0])
    assert chunk.residual is chunk.residual is not None
    assert Chunk.of(random_stream(np.random.default_rng(0), (20, 30), "u2")).residual is None
