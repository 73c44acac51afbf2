import numcodecs
import numpy as np
import pytest
import zarr

from tinc_codec.errors import ConfigurationError
from tinc_codec.serve.codecs import CODECS, ServedCodec

RNG = np.random.default_rng(0)


def test_a_codec_that_is_not_known():
    with pytest.raises(ConfigurationError, match="codec='lz4' is not known; known are blosc, raw"):
        ServedCodec("lz4")


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_metadata_of_format_2_name_decodes_what_is_served(name, dtype, order):
    codec, samples = ServedCodec(name), RNG.integers(0, 200, (3, 4, 5)).astype(dtype)
    served = codec.encode(samples.astype(samples.dtype.newbyteorder("=")), samples.dtype, order)
    compressor = codec.in_format_2()
    plain = served if compressor is None else numcodecs.get_codec(compressor).decode(served)
    assert bytes(plain) == samples.tobytes(order)


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f8"])
def test_what_metadata_of_format_3_name_decodes_what_is_served(name, dtype):
    codec, samples = ServedCodec(name), RNG.integers(0, 200, (3, 4)).astype(dtype)
    store = zarr.storage.MemoryStore()
    document = zarr.create_array(store, shape=(3, 4), chunks=(3, 4), dtype=dtype).metadata.to_dict()
    document["codecs"] = codec.in_format_3(samples.dtype.itemsize)
    served = codec.encode(samples, samples.dtype.newbyteorder("<"), "C")
    chunk = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(served)
    place = zarr.storage.StorePath(zarr.storage.MemoryStore({"c/0/0": chunk}), "")
    assert (zarr.Array(zarr.AsyncArray(document, place))[:] == samples).all()


def test_samples_of_several_bytes_are_shuffled():
    ramp = np.arange(4096, dtype="<u4")
    assert len(ServedCodec().encode(ramp, ramp.dtype, "C")) < ramp.nbytes / 8
    assert ServedCodec().in_format_3(4)[1]["configuration"]["shuffle"] == "shuffle"
    assert ServedCodec().in_format_3(1)[1]["configuration"]["shuffle"] == "noshuffle"
