"""Streams are found behind the codecs of bytes that come after TINC, and damage there is named."""

import warnings

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

from tinc_codec import (
    ConfigurationError,
    CorruptStreamError,
    TINCCodec,
    TINCSerializer,
    UnsupportedDataError,
    decode,
    zarr_kwargs,
)
from tinc_codec.hosts.stored import stored_chunks, streams_of

V = np.random.default_rng(0).normal(100, 10, (8, 16, 16)).astype("u2")
CODEC = TINCCodec(max_error=8, effort=1)
SERIALIZER = TINCSerializer(CODEC.config)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # zarr warns of each of these that format 3 does not specify them
    from zarr.codecs.numcodecs import BZ2, LZ4, Adler32, AsType, BitRound, Delta, FixedScaleOffset, PackBits, Quantize

    WRAPPED = [LZ4(), BZ2(), Adler32()]

AFTER = [Crc32cCodec(), ZstdCodec(), GzipCodec(), BloscCodec(), *WRAPPED]
INNER = ShardingCodec(chunk_shape=(4, 8, 16), codecs=[SERIALIZER], index_codecs=[BytesCodec()], index_location="start")
LAYOUTS = {
    **{f"{c.to_dict()['name']} after": ({"chunks": (4, 16, 16), "compressors": [c]}, 2) for c in AFTER},
    "two after": ({"chunks": (4, 16, 16), "compressors": [ZstdCodec(), Crc32cCodec()]}, 2),
    "in shards": ({"chunks": (4, 8, 16), "shards": (8, 16, 16), "compressors": [GzipCodec(), Crc32cCodec()]}, 4),
    "other index": ({"chunks": (8, 16, 16), "serializer": INNER, "compressors": None}, 4),
    "shards in shards": (
        {
            "chunks": (8, 16, 16),
            "serializer": ShardingCodec(chunk_shape=(4, 16, 16), codecs=[INNER, ZstdCodec()]),
            "compressors": [Crc32cCodec()],
        },
        4,
    ),
    "transposed": ({"chunks": (4, 16, 16), "filters": [TransposeCodec(order=(2, 0, 1))], "compressors": None}, 2),
    "format 2, filter": ({"chunks": (4, 16, 16), "zarr_format": 2, "filters": [CODEC]}, 2),
    "format 2, filters": (
        {
            "chunks": (4, 16, 16),
            "zarr_format": 2,
            "filters": [CODEC, numcodecs.CRC32()],
            "compressors": numcodecs.Blosc(),
        },
        2,
    ),
    "format 2, slashes": (
        {
            "chunks": (4, 16, 16),
            "zarr_format": 2,
            "compressors": CODEC,
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        },
        2,
    ),
}


def create(path, **settings):
    slots = {} if settings.get("zarr_format") == 2 else {"serializer": SERIALIZER}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return zarr.create_array(path, data=V, **(slots | settings))


@pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_streams_behind_other_codecs(tmp_path, layout):
    settings, count = LAYOUTS[layout]
    array = create(tmp_path / "a", **settings)
    streams = dict(stored_chunks(tmp_path / "a"))
    assert len(streams) == count
    samples = np.concatenate([decode(stream).ravel() for stream in streams.values()])
    assert (np.sort(samples) == np.sort(array[...].ravel())).all()


def test_numbers_of_chunks_in_shards_in_shards(tmp_path):
    create(tmp_path / "a", **LAYOUTS["shards in shards"][0])
    assert list(dict(stored_chunks(tmp_path / "a"))) == [f"c/0/0/0#{n}" for n in range(4)]


def test_other_files_and_other_arrays_are_passed_over(tmp_path):
    group = zarr.create_group(tmp_path / "g")
    arguments = {k: v for k, v in zarr_kwargs(CODEC).items() if k != "zarr_format"}
    group.create_array("a", data=V, chunks=V.shape, **arguments)
    group.create_array("b", data=V, chunks=V.shape)
    (tmp_path / "g" / "a" / "notes.txt").write_text("not a chunk")
    assert list(dict(stored_chunks(tmp_path / "g"))) == ["a/c/0/0/0"]


@pytest.mark.parametrize("layout", ["crc32c after", "zstd after", "in shards"])
def test_damage_in_another_codec_is_named(tmp_path, layout):
    create(tmp_path / "a", **LAYOUTS[layout][0])
    file = tmp_path / "a" / "c" / "0" / "0" / "0"
    data = bytearray(file.read_bytes())
    data[-1] ^= 255
    data[10] ^= 255
    file.write_bytes(bytes(data))
    with pytest.raises(CorruptStreamError, match=r"c/0/0/0: .*(after TINC, does not decode|index cannot be decoded)"):
        list(stored_chunks(tmp_path / "a"))


def test_a_shard_that_is_cut_off_is_named(tmp_path):
    array = create(tmp_path / "a", **LAYOUTS["other index"][0])
    data = (tmp_path / "a" / "c" / "0" / "0" / "0").read_bytes()
    with pytest.raises(CorruptStreamError, match="cut off"):
        list(streams_of(array.metadata.to_dict(), data[:-5]))
    with pytest.raises(CorruptStreamError, match="index cannot be decoded"):
        list(streams_of(array.metadata.to_dict(), data[:5]))


def test_a_codec_that_is_not_installed_is_named(tmp_path):
    array = create(tmp_path / "a", **LAYOUTS["zstd after"][0])
    metadata = array.metadata.to_dict()
    *before, _ = metadata["codecs"]
    metadata["codecs"] = [*before, {"name": "lab.secret", "configuration": {}}]
    with pytest.raises(UnsupportedDataError, match=r"'lab.secret', which comes after TINC, is not installed"):
        list(streams_of(metadata, b"data"))
    older = {"zarr_format": 2, "filters": [{"id": "tinc"}], "compressor": {"id": "lab_secret"}}
    with pytest.raises(UnsupportedDataError, match="'lab_secret', which comes after TINC, is not installed"):
        list(streams_of(older, b"data"))


@pytest.mark.parametrize("text", ['{"zarr_format": 3, "node', "[1]", ""])
def test_metadata_that_are_none_are_named(tmp_path, text):
    (tmp_path / "zarr.json").write_text(text)
    with pytest.raises(ConfigurationError, match="restore it from a copy"):
        list(stored_chunks(tmp_path))


FLOATS = V.astype("f4") / 7
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    FILTERS = [
        (V, Delta(dtype="<u2")),
        (V, Delta(dtype="<u2", astype="<i4")),
        (FLOATS, FixedScaleOffset(offset=0, scale=10, dtype="<f4", astype="<u2")),
        (FLOATS, BitRound(keepbits=8)),
        (FLOATS, Quantize(digits=2, dtype="<f4")),
        (FLOATS, AsType(encode_dtype="<f8", decode_dtype="<f4")),
        (V > 100, PackBits()),
    ]


@pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")
@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_a_filter_is_refused_before_anything_is_stored_or_can_be_read_back(tmp_path, number):
    data, before = FILTERS[number]
    try:
        array = zarr.create_array(
            tmp_path / "a",
            shape=data.shape,
            chunks=data.shape,
            dtype=data.dtype,
            filters=[before],
            serializer=SERIALIZER,
            compressors=None,
        )
        array[...] = data
    except (UnsupportedDataError, ValueError) as error:
        assert "filter" in str(error) or "not supported" in str(error)  # noqa: PT017  # either is right
        assert not list(tmp_path.glob("a/c/**/0"))
    else:
        assert np.abs(array[...].astype(float) - data).max() <= 8.5


def test_a_filter_that_flattens_is_told_what_to_do(tmp_path):
    with pytest.raises(UnsupportedDataError, match=r"gives uint16 of shape \(2048,\).*without filters"):
        create(tmp_path / "a", chunks=V.shape, filters=[FILTERS[0][1]], compressors=None)


@pytest.mark.parametrize("dtype", ["bool", "c8", "M8[ns]", [("a", "i4")], "S3", "O", "U4"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_arguments_refuse_a_dtype_that_they_are_told(zarr_format, dtype):
    with pytest.raises(UnsupportedDataError, match="is not supported"):
        zarr_kwargs(CODEC, zarr_format=zarr_format, dtype=dtype)


@pytest.mark.parametrize("dtype", ["u1", ">u2", "f4", ">f8"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_arguments_do_not_hold_the_dtype(zarr_format, dtype):
    arguments = zarr_kwargs(CODEC, zarr_format=zarr_format, dtype=dtype)
    assert arguments == zarr_kwargs(CODEC, zarr_format=zarr_format)
    assert "dtype" not in arguments


@pytest.mark.parametrize("dtype", ["bool", "c8", "M8[ns]"])
def test_format_2_refuses_a_dtype_at_the_first_write(tmp_path, dtype):
    array = zarr.create_array(
        tmp_path / "a", shape=(4, 4), chunks=(4, 4), dtype=dtype, **zarr_kwargs(CODEC, zarr_format=2)
    )
    with pytest.raises(UnsupportedDataError, match="is not supported"):
        array[...] = np.ones((4, 4)).astype(dtype)
