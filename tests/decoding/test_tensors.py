import sys
import types

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decoding.kinds import DTYPES, KINDS, SHAPES, streams
from tests.models import random_residual, random_stream
from tinc_codec import (
    ConfigurationError,
    MissingDependencyError,
    TINCCodec,
    decode,
    decode_batch,
    set_process,
    zarr_kwargs,
)
from tinc_codec.stream.container import Container, Section, pack, unpack
from tinc_codec.stream.crop import pack as pack_crop
from tinc_codec.stream.exact import pack as pack_exact
from tinc_codec.tree.partition import fold

torch = pytest.importorskip("torch")
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    kinds=st.lists(st.sampled_from(KINDS), max_size=3),
)
def test_batches_have_the_bytes_of_single_chunks(seed, shape, dtype, kinds):
    rng = np.random.default_rng(seed)
    batch = [streams(rng, shape, dtype, kind) for kind in kinds]
    for device in DEVICES:
        for stream, tensor in zip(batch, decode_batch(batch, device), strict=True):
            whole = decode(stream)
            assert tensor.is_contiguous()
            assert tuple(tensor.shape) == whole.shape
            native = whole.astype(whole.dtype.newbyteorder("="))
            assert tensor.cpu().numpy().tobytes() == native.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_values_and_padding_are_entered_on_the_device(dtype):
    rng = np.random.default_rng(1)
    kept, shape = (17, 30), (20, 40)
    container = unpack(random_stream(rng, kept, dtype))
    native = np.dtype(dtype).newbyteorder("=")
    values, mask = rng.integers(0, 99, fold(kept)).astype(native), rng.random(kept) < 0.1
    sections = {
        **container.sections,
        Section.EXACT: pack_exact(values, mask),
        Section.CROP: pack_crop(kept, np.array([native.type(5)])),
    }
    header = type(container.header)(shape, np.dtype(dtype), "C", container.header.kind, False)
    stream = pack(Container(header, sections))
    for device in DEVICES:
        (tensor,) = decode_batch([stream], device)
        assert tensor.cpu().numpy().tobytes() == decode(stream).astype(native).tobytes()


def test_zarr_s_gpu_buffers_get_chunks_without_a_copy_to_the_host(monkeypatch):
    """What can be held without a GPU: cupy is played by NumPy, the device by torch's CPU."""
    played = types.SimpleNamespace(from_dlpack=np.from_dlpack)
    monkeypatch.setitem(sys.modules, "cupy", played)
    specs = []
    monkeypatch.setattr("tinc_codec.hosts.zarr3.on_gpu", lambda spec: specs.append(spec) or True)
    array = zarr.create_array(
        zarr.storage.MemoryStore(), shape=(64, 64), chunks=(32, 64), dtype=">u2", **zarr_kwargs(TINCCodec(max_error=0))
    )
    rng = np.random.default_rng(0)
    chunks = [random_stream(rng, (32, 64), "u2"), random_residual(rng, (32, 64), "u2", "C", 1)[0]]
    streams = iter(chunks)
    monkeypatch.setattr("tinc_codec.hosts.zarr3.encode_again", lambda *_: next(streams))
    array[:32], array[32:] = 1, 2
    expected = np.concatenate([decode(chunk) for chunk in chunks])
    named = []
    monkeypatch.setattr(
        "tinc_codec.backends.torch.inference.find_device", lambda name: named.append(name) or torch.device("cpu")
    )
    for setting, device in (("auto", "cuda"), ("cuda:1", "cuda:1")):
        named.clear()
        set_process(device=setting)
        assert (array[:] == expected).all()
        assert {name for name in named if isinstance(name, str)} == {device}
    assert specs


def test_a_missing_torch_is_explained(monkeypatch):
    stream = random_stream(np.random.default_rng(0), (8, 8), "u2")
    monkeypatch.setitem(sys.modules, "torch", None)
    set_process(device="cuda")
    for decoder in (decode, lambda data: decode_batch([data])):
        with pytest.raises(MissingDependencyError, match=r"tinc-codec\[torch\]"):
            decoder(stream)


def test_an_unknown_device_is_explained():
    with pytest.raises(ConfigurationError, match="'cuda:99'"):
        decode_batch([], "cuda:99")
