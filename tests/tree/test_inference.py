import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import reference
from tests.models import decoded, random_model, random_stream
from tinc_codec import decode, set_process
from tinc_codec.errors import ConfigurationError, CorruptStreamError
from tinc_codec.tree import inference
from tinc_codec.tree.inference import TURN, local_coordinates, sine_table
from tinc_codec.tree.model import AMPLITUDE

DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
SHAPES = [(9,), (40,), (17, 20), (1, 33), (9, 16, 17), (2, 15, 3, 16), (2, 2, 1, 3, 16)]


def devices():
    torch = pytest.importorskip("torch")
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES), dtype=st.sampled_from(DTYPES))
def test_torch_gives_the_same_bytes(seed, shape, dtype):
    from tinc_codec.backends.torch import inference as inference_torch

    model = random_model(np.random.default_rng(seed), shape, dtype)
    expected = decoded(model)
    for device in devices():
        assert inference_torch.decode(model, device).tobytes() == expected.tobytes()


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_torch_gives_the_same_bytes_under_any_precision_setting(precision):
    torch = pytest.importorskip("torch")
    from tinc_codec.backends.torch import inference as inference_torch

    model = random_model(np.random.default_rng(3), (30, 31), "f4", widest=40)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert inference_torch.decode(model, "cpu").tobytes() == decoded(model).tobytes()
    finally:
        torch.set_float32_matmul_precision(before)


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


def test_a_large_anisotropic_chunk():
    pytest.importorskip("torch")
    from tinc_codec.backends.torch import inference as inference_torch

    model = random_model(np.random.default_rng(1), (24, 1116, 627), "u1", levels=6, widest=2, classes=1, empty=0.02)
    whole = decoded(model)
    assert whole.shape == (24, 1116, 627)
    assert whole.std() > 0
    assert inference_torch.decode(model, "cpu").tobytes() == whole.tobytes()


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


def test_sums_beyond_exact_float32_are_refused():
    model = random_model(np.random.default_rng(0), (8, 8), "u2", empty=0.0)
    model.layers[0].weights[:] = 2047
    model.layers[0].biases[:] = 2047
    object.__setattr__(model.layers[0], "multiplier", 2**22)
    with pytest.raises(CorruptStreamError, match="beyond exact float32"):
        model.check()


def test_an_offset_outside_the_range_is_refused():
    model = random_model(np.random.default_rng(0), (8, 8), "u2")
    for field in ("offset", "low"):
        with pytest.raises(CorruptStreamError, match="is not in the range"):
            dataclasses.replace(model, **{field: np.uint16(65535)}).check()


def test_an_unknown_device_is_explained():
    pytest.importorskip("torch")
    from tinc_codec.backends.torch import inference as inference_torch

    model = random_model(np.random.default_rng(0), (8, 8), "u2")
    with pytest.raises(ConfigurationError, match="'cuda:99'"):
        inference_torch.decode(model, "cuda:99")
