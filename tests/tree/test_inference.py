import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import reference
from tests.models import DTYPES, SHAPES, decoded, random_model, random_stream
from tinc_codec import decode, set_process
from tinc_codec.tree import inference
from tinc_codec.tree.inference import TURN, local_coordinates, sine_table
from tinc_codec.tree.model import AMPLITUDE


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_agrees_with_the_decoder_written_from_the_format_document(shape, dtype):
    data = random_stream(np.random.default_rng(len(shape) * 100 + DTYPES.index(dtype)), shape, dtype)
    given_shape, code, _, samples = reference.decode(data)
    assert given_shape == list(shape)
    assert np.array(samples, code).tobytes() == decode(data).tobytes()


@given(seed=st.integers(0, 2**32), tile=st.integers(1, 300))
def test_tiles_do_not_change_the_bytes(seed, tile):
    model = random_model(np.random.default_rng(seed), (17, 20), "u2")
    expected = decoded(model)
    before = inference.TILE
    inference.TILE = tile
    try:
        assert decoded(model).tobytes() == expected.tobytes()
    finally:
        inference.TILE = before


@pytest.mark.parametrize("decoder", ["numpy", "auto"])
def test_a_leaf_with_more_voxels_than_coordinates(decoder):
    set_process(decoder=decoder)
    data = random_stream(np.random.default_rng(9), (5000,), "u2", levels=1, empty=0.0)
    whole = decode(data)
    assert whole.tolist() == reference.decode(data)[3]
    assert len(set(whole.tolist())) > 100
    assert decode(data, slice(10, None, 7)).tolist() == whole[10::7].tolist()
    assert decode(data, ([4, 4999, 4, 2500],)).tolist() == whole[[4, 4999, 4, 2500]].tolist()


def test_no_entry_of_the_sine_table_depends_on_the_last_bit_of_sine():
    fractions = [AMPLITUDE * math.sin(2 * math.pi * k / TURN) % 1 for k in range(TURN)]
    assert min(abs(f - 0.5) for f in fractions) > 1e-4
    assert sine_table().tolist() == [round(AMPLITUDE * math.sin(2 * math.pi * k / TURN)) for k in range(TURN)]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 100])
def test_coordinates_are_centred_on_cells(n):
    cells = local_coordinates((n,))[0]
    exact = AMPLITUDE * (2 * np.arange(n) + 1 - n) / n
    assert np.abs(cells - exact).max() <= 0.5
    assert np.abs(cells).max() <= AMPLITUDE


def test_half_resolution_samples_centres_of_coarser_cells():
    fine, coarse = local_coordinates((16,))[0], local_coordinates((8,))[0]
    assert np.abs(fine.reshape(8, 2).mean(1) - coarse).max() <= 1
