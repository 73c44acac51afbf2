"""Levels that are not stored, over HTTP: what `open_multiscale` has, as an OME-Zarr image without our codec."""

import numpy as np
import pytest
import zarr

from tests.serve.serving import ask, codecs_of, json_of, opened, same_bits, serving
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.hosts.pyramid import derive, finest_of

pytest.importorskip("aiohttp")

V = np.random.default_rng(0).normal(100, 10, (36, 32, 80)).astype("u2")
CODEC = TINCCodec(max_error=8, effort=1)
AXES = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": "micrometer"} for n in "zyx")]
SCALE = {"type": "scale", "scale": [1.0, 2.0, 0.5, 0.5]}
IMAGE = {"axes": AXES, "datasets": [{"path": "0", "coordinateTransformations": [SCALE]}]}
LAYOUTS = {
    "two": {**zarr_kwargs(CODEC, zarr_format=2), "order": "F", "dtype": ">u2"},
    "three": zarr_kwargs(CODEC),
    "shards": {**zarr_kwargs(CODEC), "shards": (32, 32, 64)},
    "v2": {**zarr_kwargs(CODEC), "chunk_key_encoding": {"name": "v2", "separator": "."}},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("serve") / "store.zarr"
    zarr.create_group(place)
    for name, layout in LAYOUTS.items():
        settings = {"shape": V.shape, "chunks": (16, 16, 32), "dtype": "u2", "fill_value": 7, **layout}
        zarr.create_array(place / name, **settings)[:32] = V[:32]
    for name, version in (("image", "0.5"), ("a/image", "0.4")):
        zarr_format = 3 if version == "0.5" else 2
        described = {"multiscales": [{**IMAGE, "version": version}]}
        group = zarr.create_group(
            place / name,
            zarr_format=zarr_format,
            attributes={"ome": {**described, "version": version}} if zarr_format == 3 else described,
        )
        kwargs = zarr_kwargs(CODEC, zarr_format=zarr_format)
        zarr.create_array(group.store_path / "0", data=V[None], chunks=(1, 16, 16, 32), **kwargs)
    zarr.create_array(place / "plain", data=V, chunks=(16, 16, 16))
    return place


@pytest.fixture(scope="module")
def url(store):
    with serving(store) as served:
        yield served


@pytest.mark.parametrize("name", [*LAYOUTS, "image", "image/0", "a/image", "a/image/0"])
def test_levels_are_those_of_the_stored_chunks(url, store, name):
    expected = derive(*finest_of(zarr.open(store / name, mode="r")))
    served = opened(f"{url}/levels/{name}/image.zarr")
    (image,) = served.attrs["ome"]["multiscales"]
    assert [dataset["path"] for dataset in image["datasets"]] == [str(k) for k in range(len(expected.arrays))]
    assert len(expected.arrays) > 1
    for number, level in enumerate(expected.arrays):
        assert codecs_of(json_of(url, f"/levels/{name}/image.zarr/{number}/zarr.json")) <= {"bytes", "blosc"}
        array = served[str(number)]
        assert array.shape == level.shape
        assert same_bits(array[:], level[:])


def test_an_image_keeps_its_axes_and_scale(url):
    (image,) = opened(f"{url}/levels/image/image.zarr").attrs["ome"]["multiscales"]
    assert image["axes"] == AXES
    assert image["datasets"][1]["coordinateTransformations"][0] == {"type": "scale", "scale": [1.0, 4.0, 1.0, 1.0]}


def test_a_level_has_the_missing_chunks_of_the_finest(url):
    for level in (0, 1):
        found = [ask(url, f"/levels/three/image.zarr/{level}/c/{i}/0/0")[0] for i in range(4)]
        assert found == [200, 200, 404, 404]


@pytest.mark.parametrize(
    "key",
    [
        "three",
        "three/image.zarr",
        "three/image.zarr/c/0/0/0",
        "three/image.zarr/9/zarr.json",
        "three/image.zarr/00/zarr.json",
        "three/image.zarr/0/c/0/0",
        "three/image.zarr/0/c/00/0/0",
        "three/image.zarr/0/c",
        "three/image.zarr/0/.zarray",
        "nothing/image.zarr/zarr.json",
        "image.zarr/zarr.json",
        "plain/image.zarr/zarr.json",
        "a/image.zarr/zarr.json",
    ],
)
def test_what_is_no_level_is_not_there(url, key):
    assert ask(url, f"/levels/{key}")[0] == 404


def test_each_level_has_tags_of_its_own(url):
    tags = {}
    for level in (0, 1):
        path = f"/levels/three/image.zarr/{level}/c/0/0/0"
        tags[level] = ask(url, path)[1]["etag"]
        assert ask(url, path, If_None_Match=tags[level])[0] == 304
    assert tags[0] != tags[1]


def test_levels_follow_a_store_that_changes(tmp_path):
    array = zarr.create_array(tmp_path / "a", data=V, chunks=(16, 32, 80), **zarr_kwargs(CODEC))
    with serving(tmp_path / "a") as url:
        assert same_bits(opened(f"{url}/levels/image.zarr/1")[:], derive(array, {}).arrays[1][:])
        array[:] = V[::-1]
        assert same_bits(opened(f"{url}/levels/image.zarr/1")[:], derive(array, {}).arrays[1][:])
        zarr.create_array(tmp_path / "a", data=V[:20], chunks=(8, 32, 80), overwrite=True, **zarr_kwargs(CODEC))
        assert opened(f"{url}/levels/image.zarr/1").shape == (10, 16, 40)
