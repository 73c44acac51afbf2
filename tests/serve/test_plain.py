"""What zarr reads over HTTP, and by which codecs: the same samples as from the store, by Blosc or none."""

import json
import threading
import warnings
from urllib.parse import unquote

import numpy as np
import pytest
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec

import tinc_codec
from tests.serve.serving import ask, codecs_of, json_of, opened, same_bits, serving
from tinc_codec import TINCCodec, TINCSerializer, zarr_kwargs
from tinc_codec.serve.plain import PlainStore

pytest.importorskip("aiohttp")

V = np.random.default_rng(0).normal(100, 10, (20, 24, 28))
CODEC = TINCCodec(max_error=4, effort=1)
LOSSLESS = TINCCodec(max_error=0)
SERIALIZER = TINCSerializer(CODEC.config)
START = ShardingCodec(chunk_shape=(4, 12, 14), codecs=[SERIALIZER], index_codecs=[BytesCodec()], index_location="start")
NESTED = ShardingCodec(chunk_shape=(8, 12, 14), codecs=[START])
TWO, THREE = zarr_kwargs(CODEC, zarr_format=2), zarr_kwargs(CODEC)
PLAIN = {"serializer": "auto", "compressors": "auto", "zarr_format": 3}
LAYOUTS = {
    "format 2": {**TWO, "chunks": (8, 12, 28)},
    "F order": {**TWO, "chunks": (8, 12, 28), "order": "F"},
    "big-endian in 2": {**TWO, "chunks": (8, 12, 28), "dtype": ">u2"},
    "big-endian F": {**TWO, "chunks": (20, 12, 28), "dtype": ">f4", "order": "F"},
    "slashes": {**TWO, "chunks": (8, 12, 28), "chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "no fill value": {**TWO, "chunks": (8, 12, 28), "fill_value": None},
    "filter": {"zarr_format": 2, "chunks": (8, 12, 28), "filters": [CODEC], "compressors": None},
    "format 3": {**THREE, "chunks": (8, 12, 28)},
    "dots": {**THREE, "chunks": (8, 12, 28), "chunk_key_encoding": {"name": "default", "separator": "."}},
    "v2 keys": {**THREE, "chunks": (8, 12, 28), "chunk_key_encoding": {"name": "v2", "separator": "."}},
    "bytes": {**THREE, "chunks": (8, 12, 28), "dtype": "u1"},
    "floats": {**THREE, "chunks": (8, 12, 28), "dtype": "f8", "fill_value": np.nan},
    "big-endian in 3": {**THREE, "chunks": (8, 12, 28), "dtype": ">i4"},
    "codecs after": {**THREE, "chunks": (8, 12, 28), "compressors": [GzipCodec(), Crc32cCodec()]},
    "transposed": {**THREE, "chunks": (8, 12, 28), "filters": [TransposeCodec(order=(2, 0, 1))]},
    "shards": {**THREE, "chunks": (4, 12, 14), "shards": (8, 24, 28)},
    "index at the start": {"chunks": (8, 24, 28), "serializer": START, "compressors": None},
    "shards in shards": {"chunks": (8, 24, 28), "serializer": NESTED, "compressors": None},
    "shards, wrapped": {"chunks": (8, 24, 28), "serializer": START, "compressors": [Crc32cCodec()]},
    "plain": {**PLAIN, "chunks": (8, 12, 28)},
    "plain shards": {**PLAIN, "chunks": (4, 12, 14), "shards": (8, 24, 28)},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A group of every layout, each with some chunks missing."""
    place = tmp_path_factory.mktemp("serve") / "store.zarr"
    groups = {f: zarr.create_group(place / str(f), zarr_format=f, attributes={"in": f}) for f in (2, 3)}
    zarr.create_group(place, zarr_format=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of codecs around sharding, and of consolidated metadata in 3
        for name, layout in LAYOUTS.items():
            settings = {"dtype": "u2", "fill_value": 7, **layout}
            array = groups[settings.pop("zarr_format", 3)].create_array(name, shape=V.shape, **settings)
            array[:16, :12] = V[:16, :12]
        for group in groups.values():
            zarr.consolidate_metadata(group.store, path=group.path)
    return place


@pytest.fixture(scope="module", params=["blosc", "raw"])
def url(request, store):
    with serving(store, request.param) as served:
        yield served


def path_of(layout):
    return f"{LAYOUTS[layout].get('zarr_format', 3)}/{layout.replace(' ', '%20')}"


def document_of(url, layout):
    name = ".zarray" if LAYOUTS[layout].get("zarr_format") == 2 else "zarr.json"
    return json_of(url, f"/data.zarr/{path_of(layout)}/{name}")


@pytest.mark.filterwarnings("ignore:Combining a `sharding_indexed` codec")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_are_the_same_by_codecs_that_every_reader_has(url, store, layout):
    stored = zarr.open(store / path_of(layout).replace("%20", " "), mode="r")
    served = opened(f"{url}/data.zarr/{path_of(layout)}")
    assert served.metadata.zarr_format == stored.metadata.zarr_format
    assert served.dtype == stored.dtype
    assert served.chunks == ((8, 24, 28) if layout == "shards, wrapped" else stored.chunks)
    if not layout.startswith("plain"):
        assert served.shards is None
        assert codecs_of(document_of(url, layout)) <= {"bytes", "blosc"}
    assert same_bits(served[:], stored[:])
    assert same_bits(served[3:19:2, 11, :], stored[3:19:2, 11, :])
    assert dict(served.attrs) == dict(stored.attrs)


def test_groups_are_found_and_consolidated_metadata_name_no_codec_of_ours(url, store):
    for name, key in (("3/zarr.json", "consolidated_metadata"), ("2/.zmetadata", None)):
        consolidated = json_of(url, f"/data.zarr/{name}")
        nodes = (consolidated[key] if key else consolidated)["metadata"]
        arrays = {path: node for path, node in nodes.items() if node.get("shape")}
        assert len(arrays) > 6
        for path, node in arrays.items():
            if "plain" not in path:
                assert codecs_of(node) <= {"bytes", "blosc"}
        assert "tinc" not in json.dumps(nodes)
    group = opened(f"{url}/data.zarr/3")
    assert sorted(group.array_keys()) == sorted(name for name in LAYOUTS if path_of(name).startswith("3/"))
    assert group.attrs["in"] == 3
    assert same_bits(group["shards"][:], zarr.open(store / "3" / "shards", mode="r")[:])


@pytest.mark.filterwarnings("ignore:Combining a `sharding_indexed` codec")
@pytest.mark.parametrize("zarr_format", ["2", "3"])
def test_what_is_not_consolidated_is_found_by_its_listing(url, zarr_format):
    group = opened(f"{url}/data.zarr/{zarr_format}", use_consolidated=False)
    expected = {name for name in LAYOUTS if path_of(name).startswith(zarr_format)}
    assert {unquote(name) for name in group.array_keys()} == expected  # fsspec takes links as they are
    assert b'href="/data.zarr/2">2<' in ask(url, "/data.zarr/")[2]
    for key in ("3/format%203", "3/format%203/c", "4"):
        assert ask(url, f"/data.zarr/{key}")[0] == 404


def test_a_document_without_our_codec_comes_as_it_is_stored(url, store):
    for key in ("zarr.json", "2/.zgroup", "2/.zattrs", "3/plain/zarr.json"):
        status, _, body = ask(url, f"/data.zarr/{key}")
        assert (status, body) == (200, (store / key).read_bytes())


@pytest.mark.parametrize("layout", ["format 2", "slashes", "format 3", "dots", "shards", "index at the start", "plain"])
def test_missing_chunks_and_those_outside_the_grid_are_not_there(url, layout):
    document = document_of(url, layout)
    separator = {"format 2": ".", "dots": "."}.get(layout, "/")
    prefix = "" if layout in ("format 2", "slashes") else "c" + separator
    chunks = document["chunks"] if prefix == "" else document["chunk_grid"]["configuration"]["chunk_shape"]
    for place, expected in (((0, 0, 0), 200), ((V.shape[0] - 1, 23, 27), 404), ((99, 0, 0), 404)):
        numbers = [str(i // n) for i, n in zip(place, chunks, strict=True)]
        status, headers, _ = ask(url, f"/data.zarr/{path_of(layout)}/{prefix}{separator.join(numbers)}")
        assert status == expected
        assert ("etag" in headers) == (expected == 200)


def test_a_chunk_that_no_array_has_is_not_there(url):
    for key in ("nothing/c/0/0/0", "c/0/0/0", "3/format%203/c/0/0", "3/format%203/0.0.0", "3/format%203/c"):
        assert ask(url, f"/data.zarr/{key}")[0] == 404


def test_chunks_beyond_the_array_are_not_sent_as_they_are_stored(tmp_path):
    array = zarr.create_array(tmp_path / "a", shape=(16, 16), chunks=(8, 16), dtype="u2", **zarr_kwargs(LOSSLESS))
    array[:] = 3
    document = json.loads((tmp_path / "a" / "zarr.json").read_text())
    (tmp_path / "a" / "zarr.json").write_text(json.dumps({**document, "shape": [8, 16]}))
    with serving(tmp_path / "a") as url:
        assert [ask(url, f"/data.zarr/c/{i}/0")[0] for i in (0, 1)] == [200, 404]


@pytest.mark.parametrize("codec", ["blosc", "raw"])
def test_a_store_of_one_array_and_one_without_axes(tmp_path, codec):
    zarr.create_array(tmp_path / "a", data=V.astype("f4"), chunks=(20, 12, 28), **zarr_kwargs(LOSSLESS))
    zarr.create_array(tmp_path / "b", data=np.float32(2.5), **zarr_kwargs(LOSSLESS))
    for name, expected in (("a", V.astype("f4")), ("b", np.float32(2.5))):
        with serving(tmp_path / name, codec) as url:
            assert same_bits(opened(f"{url}/data.zarr")[...], expected)


def test_a_store_that_is_replaced_meanwhile(tmp_path):
    """A plain array becomes one of TINC's at the same path: no answer mixes the two."""
    zarr.create_array(tmp_path / "raw", data=V.astype("u2"), chunks=(20, 12, 28), compressors=None)
    zarr.create_array(tmp_path / "tinc", data=V.astype("u2"), chunks=(20, 12, 28), **zarr_kwargs(LOSSLESS))
    (tmp_path / "raw").rename(tmp_path / "a")
    with serving(tmp_path / "a") as url:
        before = opened(f"{url}/data.zarr")[:]
        tag = ask(url, "/data.zarr/c/0/0/0")[1]["etag"]
        (tmp_path / "a").rename(tmp_path / "raw")
        (tmp_path / "tinc").rename(tmp_path / "a")
        assert ask(url, "/data.zarr/c/0/0/0", If_None_Match=tag)[0] == 200
        assert codecs_of(json_of(url, "/data.zarr/zarr.json")) == {"bytes", "blosc"}
        assert same_bits(opened(f"{url}/data.zarr")[:], before)


def test_chunks_that_come_later_are_seen(tmp_path):
    array = zarr.create_array(tmp_path / "a", shape=V.shape, chunks=(4, 24, 28), dtype="u2", **zarr_kwargs(LOSSLESS))
    with serving(tmp_path / "a") as url:
        served = opened(f"{url}/data.zarr")
        assert not served[:].any()
        array[:4] = V[:4].astype("u2")
        assert same_bits(served[:], array[:])
        before = ask(url, "/data.zarr/c/0/0/0")
        array[:4] = V[:4].astype("u2") + 1
        assert ask(url, "/data.zarr/c/0/0/0")[1]["etag"] != before[1]["etag"]
        assert same_bits(served[:], array[:])


def test_a_store_that_is_compressed_in_place_while_it_is_read(source, volume, bounded, client):
    """A reader who has just seen the old metadata may fail; what it gets is within the bound all the same."""
    read, stop = [], threading.Event()

    def watch(url):
        while not stop.is_set():
            try:
                got = opened(f"{url}/data.zarr")[:]
            except Exception as error:  # what zarr, fsspec and codecs raise
                read.append(str(error))
            else:
                read.append(np.abs(got.astype(int) - volume).max())

    with serving(source) as url:
        thread = threading.Thread(target=watch, args=(url,))
        thread.start()
        tinc_codec.compress(source, None, bounded, client=client, progress=False)
        wait_until = len(read) + 2
        while len(read) < wait_until:
            stop.wait(0.01)
        stop.set()
        thread.join()
        assert codecs_of(json_of(url, "/data.zarr/zarr.json")) == {"bytes", "blosc"}
    errors = [one for one in read if not isinstance(one, str)]
    assert errors[0] == 0
    assert 0 < errors[-1] <= 20
    assert max(errors) <= 20


@pytest.mark.parametrize("changes", [1, 9])
def test_an_array_that_is_replaced_between_two_looks_is_looked_at_again(tmp_path, monkeypatch, changes):
    """The chunks of the new array lie elsewhere: what is missing there must not be said to be missing."""
    array = zarr.create_array(tmp_path / "a", data=V.astype("u2"), chunks=(4, 24, 28), **zarr_kwargs(LOSSLESS))
    document = json.loads((tmp_path / "a" / "zarr.json").read_text())
    stored = PlainStore.stored_chunk
    left = [changes]

    def replaced(self, place):
        if not left[0]:
            return stored(self, place)
        left[0] -= 1
        (tmp_path / "a" / "zarr.json").write_text(json.dumps({**document, "attributes": {"change": left[0]}}))
        return None

    monkeypatch.setattr(PlainStore, "stored_chunk", replaced)
    with serving(tmp_path / "a", "raw") as url:
        status, _, body = ask(url, "/data.zarr/c/1/0/0")
    assert (status, body) == (200, array[4:8].tobytes()) if changes == 1 else status == 503
