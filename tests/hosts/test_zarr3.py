import asyncio
import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr

from tinc_codec import (
    ConfigurationError,
    CorruptStreamError,
    PartialWriteWarning,
    TINCCodec,
    TINCSerializer,
    UnsupportedDataError,
    decode,
    zarr_kwargs,
)
from tinc_codec.hosts.zarr3 import stored_chunks

pytest.importorskip("torch")

QUICK = TINCCodec(ratio=12, effort=1, levels=2)
FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


def create(path, data, zarr_format=3, chunks=None, codec=QUICK, **settings):
    arguments = zarr_kwargs(codec, zarr_format=zarr_format) | settings
    return zarr.create_array(path, data=data, chunks=chunks or data.shape, **arguments)


def close(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return a.shape == b.shape and np.sqrt(np.mean((a - b) ** 2)) < 0.1 * np.ptp(b)


@FORMATS
def test_an_array_opens_as_if_nothing_had_happened(tmp_path, smooth, zarr_format):
    create(tmp_path / "a", smooth, zarr_format, chunks=(10, 24, 14))
    opened = zarr.open(tmp_path / "a", mode="r")
    assert opened.dtype == smooth.dtype
    assert close(opened[:], smooth)
    assert (opened[3, 5:9, ::2] == opened[:][3, 5:9, ::2]).all()
    assert len(list(stored_chunks(tmp_path / "a"))) == 4


@FORMATS
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<f4", ">f4", "<i8"])
def test_order_and_byte_order(tmp_path, smooth, zarr_format, order, dtype):
    data = smooth.astype(dtype)
    settings = {"order": order} if zarr_format == 2 else {"config": {"order": order}}
    create(tmp_path / "a", data, zarr_format, **settings)
    got = zarr.open(tmp_path / "a", mode="r")[:]
    assert close(got, data)
    if zarr_format == 2:
        assert got.dtype.str == data.dtype.str


def test_as_the_last_filter_of_format_2(tmp_path, smooth):
    for order in "CF":
        path = tmp_path / order
        zarr.create_array(
            path, data=smooth, chunks=smooth.shape, zarr_format=2, filters=[QUICK], compressors=None, order=order
        )
        assert close(zarr.open(path, mode="r")[:], smooth)


@FORMATS
def test_views_and_foreign_byte_order_are_normalised(tmp_path, smooth, zarr_format):
    array = zarr.create_array(
        tmp_path / "a",
        shape=(20, 24, 28),
        chunks=(20, 24, 28),
        dtype="u2",
        **zarr_kwargs(QUICK, zarr_format=zarr_format),
    )
    given = np.asfortranarray(smooth[::-1].astype(">u2"))
    given.flags.writeable = False
    array[:] = given
    assert close(array[:], smooth[::-1])


@FORMATS
@pytest.mark.parametrize("fill", [0, 1500])
def test_edge_chunks_and_empty_chunks(tmp_path, smooth, zarr_format, fill):
    array = zarr.create_array(
        tmp_path / "a",
        shape=(30, 30, 30),
        chunks=(20, 24, 28),
        dtype="u2",
        fill_value=fill,
        **zarr_kwargs(QUICK, zarr_format=zarr_format),
    )
    array[:20, :24, :28] = smooth
    array[20:, :24, :28] = smooth[:10]  # padded with the fill value to the full chunk
    got = zarr.open(tmp_path / "a", mode="r")[:]
    assert close(got[:20, :24, :28], smooth)
    assert np.sqrt(np.mean((got[20:, :24, :28].astype(float) - smooth[:10]) ** 2)) < 0.3 * np.ptp(smooth)
    assert (got[:, 24:] == fill).all()
    assert len(list(stored_chunks(tmp_path / "a"))) == 2


@FORMATS
def test_float_chunks_padded_with_nan(tmp_path, smooth, zarr_format):
    data = smooth.astype("f4")
    data[:, :, 20:] = np.nan
    create(tmp_path / "a", data, zarr_format, fill_value=np.nan)
    got = zarr.open(tmp_path / "a", mode="r")[:]
    assert (np.isnan(got) == np.isnan(data)).all()
    assert close(got[:, :, :20], data[:, :, :20])


@FORMATS
def test_every_kind_of_selection_shows_the_same_values(tmp_path, smooth, zarr_format):
    array = create(tmp_path / "a", smooth, zarr_format, chunks=(10, 24, 14))
    whole = array[:]
    assert array[7, 3, 20] == whole[7, 3, 20]
    assert (array[1::3, ::5, 2:20] == whole[1::3, ::5, 2:20]).all()
    assert (array.oindex[[0, 12, 3], :, [5, 27]] == whole[np.ix_([0, 12, 3], range(24), [5, 27])]).all()
    assert (array.vindex[[0, 12], [1, 2], [3, 20]] == whole[[0, 12], [1, 2], [3, 20]]).all()
    mask = whole > 2500
    assert (array.vindex[mask] == whole[mask]).all()


def test_the_codec_in_the_compressors_of_format_3_is_an_error_and_writes_nothing(tmp_path, smooth):
    with pytest.raises(TypeError):
        zarr.create_array(tmp_path / "a", data=smooth, chunks=smooth.shape, zarr_format=3, compressors=QUICK)
    assert not list(tmp_path.glob("a/c/**/*"))


def test_a_partial_write_keeps_the_rest_of_the_chunk_nearly_as_it_was(tmp_path, smooth):
    array = create(tmp_path / "a", smooth)
    with pytest.warns(PartialWriteWarning, match="loses a little more"):
        array[0, 0, 0] = 7
    assert close(array[:], smooth)


def test_shards(tmp_path, smooth):
    data = np.tile(smooth, (2, 1, 2))
    create(tmp_path / "a", data, chunks=smooth.shape, shards=data.shape)
    assert close(zarr.open(tmp_path / "a", mode="r")[:], data)
    streams = dict(stored_chunks(tmp_path / "a"))
    assert sorted(streams) == ["c/0/0/0#0", "c/0/0/0#1", "c/0/0/0#2", "c/0/0/0#3"]
    assert all(decode(stream).shape == smooth.shape for stream in streams.values())


def test_shards_of_a_dtype_that_cannot_be_stored_are_refused(tmp_path):
    def write():
        array = zarr.create_array(
            tmp_path / "a", shape=(8, 8), shards=(8, 8), chunks=(4, 4), dtype=bool, **zarr_kwargs(QUICK)
        )
        array[:] = np.random.default_rng(0).random((8, 8)) > 0.5

    with pytest.raises(UnsupportedDataError, match="view booleans as uint8"):
        write()


@pytest.mark.parametrize("dtype", [bool, "c8", "M8[s]"])
def test_a_dtype_that_cannot_be_stored_is_refused_when_the_array_is_made(tmp_path, dtype):
    with pytest.raises(UnsupportedDataError, match="is not supported"):
        zarr.create_array(tmp_path / "a", shape=(8, 8), chunks=(8, 8), dtype=dtype, **zarr_kwargs(QUICK))


def test_a_missing_configuration_and_unknown_keys_do_not_break_reading(tmp_path, smooth):
    create(tmp_path / "a", smooth)
    expected = zarr.open(tmp_path / "a", mode="r")[:]
    file = tmp_path / "a" / "zarr.json"
    metadata = json.loads(file.read_text())
    (codec,) = metadata["codecs"]
    assert codec["name"] == "tinc_codec.tinc"
    for changed in ({"name": codec["name"]}, codec | {"configuration": codec["configuration"] | {"colour": 50}}):
        file.write_text(json.dumps(metadata | {"codecs": [changed]}))
        assert (zarr.open(tmp_path / "a", mode="r")[:] == expected).all()


def test_serializers_have_an_identity():
    serializer = TINCSerializer(QUICK.config)
    for twin in (pickle.loads(pickle.dumps(serializer)), TINCSerializer.from_dict(serializer.to_dict())):
        assert twin == serializer
        assert hash(twin) == hash(serializer)
    assert serializer != TINCSerializer()


def test_zarr_finds_the_serializer_by_its_entry_point():
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="zarr.codecs", name="tinc_codec.tinc")
    assert entry.load() is TINCSerializer


def test_arguments_keep_other_compressors_out():
    assert zarr_kwargs(QUICK)["compressors"] is None
    assert zarr_kwargs(QUICK, zarr_format=2)["compressors"] == QUICK
    with pytest.raises(ConfigurationError, match="zarr_format=4"):
        zarr_kwargs(QUICK, zarr_format=4)
    with pytest.raises(ConfigurationError, match="must be a TINCCodec"):
        zarr_kwargs("tinc")


@FORMATS
def test_threads_read_and_write_at_once(tmp_path, smooth, zarr_format):
    data = np.tile(smooth, (2, 2, 1))
    array = zarr.create_array(
        tmp_path / "a",
        shape=data.shape,
        chunks=smooth.shape,
        dtype="u2",
        **zarr_kwargs(QUICK, zarr_format=zarr_format),
    )
    boxes = [np.s_[z : z + 20, y : y + 24] for z in (0, 20) for y in (0, 24)]

    def write(box):
        array[box] = data[box]
        return array[box]

    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(write, boxes))
    assert all((part == parts[0]).all() for part in parts)  # same data, same seed, same bytes
    assert close(array[:], data)


def test_async_and_sync_methods_agree(tmp_path, smooth):
    create(tmp_path / "a", smooth)
    (data,) = dict(stored_chunks(tmp_path / "a")).values()
    array = zarr.open_array(tmp_path / "a", mode="r")
    metadata = array.metadata
    from zarr.core.array_spec import ArrayConfig, ArraySpec
    from zarr.core.buffer import default_buffer_prototype

    prototype = default_buffer_prototype()
    spec = ArraySpec(
        shape=smooth.shape,
        dtype=metadata.data_type,
        fill_value=0,
        config=ArrayConfig(order="C", write_empty_chunks=False),
        prototype=prototype,
    )
    serializer = TINCSerializer(QUICK.config)
    buffer = prototype.buffer.from_bytes(data)
    nd = prototype.nd_buffer.from_numpy_array(smooth)
    decoded = serializer._decode_sync(buffer, spec).as_numpy_array()
    again = asyncio.run(serializer._decode_single(buffer, spec)).as_numpy_array()
    assert (decoded == again).all()
    assert asyncio.run(serializer._encode_single(nd, spec)).to_bytes() == data
    assert serializer._encode_sync(nd, spec).to_bytes() == data


@FORMATS
def test_damage_is_an_error_and_never_wrong_data(tmp_path, smooth, zarr_format):
    create(tmp_path / "a", smooth, zarr_format)
    (file,) = [f for f in (tmp_path / "a").rglob("*") if f.is_file() and f.read_bytes().startswith(b"TINC")]
    data = bytearray(file.read_bytes())
    for changed in (data[:-1], data[: len(data) // 2], bytes(data[:100]) + b"x" + bytes(data[101:])):
        file.write_bytes(bytes(changed))
        with pytest.raises(CorruptStreamError, match="checksum mismatch"):
            zarr.open(tmp_path / "a", mode="r")[:]


def test_a_chunk_of_another_array_is_refused(tmp_path, smooth):
    create(tmp_path / "a", smooth)
    create(tmp_path / "b", smooth[:10])
    shutil.copy(tmp_path / "b" / "c" / "0" / "0" / "0", tmp_path / "a" / "c" / "0" / "0" / "0")
    with pytest.raises(CorruptStreamError, match="belongs to another array"):
        zarr.open(tmp_path / "a", mode="r")[:]


def test_xarray_encoding_keys(tmp_path, smooth):
    xarray = pytest.importorskip("xarray")
    dataset = xarray.Dataset({"volume": (("z", "y", "x"), smooth)})
    for zarr_format in (2, 3):
        arguments = zarr_kwargs(QUICK, zarr_format=zarr_format)
        keys = ("compressors",) if zarr_format == 2 else ("serializer", "compressors")
        encoding = {"volume": {key: arguments[key] for key in keys}}
        if zarr_format == 2:
            encoding["volume"]["compressors"] = (QUICK,)
        path = tmp_path / f"{zarr_format}.zarr"
        dataset.to_zarr(path, zarr_format=zarr_format, encoding=encoding, consolidated=False)
        opened = xarray.open_zarr(path, consolidated=False)
        assert close(opened["volume"].values, smooth)


def test_a_written_chunk_is_lossless_if_asked_whatever_the_array_says(tmp_path, volume):
    from tinc_codec.hosts.zarr3 import losslessly

    for zarr_format in (2, 3):
        for shards in (None, (40, 50, 60)) if zarr_format == 3 else (None,):
            array = zarr.create_array(
                tmp_path / "a.zarr",
                shape=volume.shape,
                dtype=volume.dtype,
                chunks=(20, 50, 60),
                overwrite=True,
                **({"shards": shards} if shards else {}),
                **zarr_kwargs(TINCCodec(ratio=400, effort=1), zarr_format=zarr_format),
            )
            losslessly(array)[:] = volume
            assert (zarr.open_array(tmp_path / "a.zarr", mode="r")[:] == volume).all()
            assert zarr.open_array(tmp_path / "a.zarr", mode="r").metadata == array.metadata
