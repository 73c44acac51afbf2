"""What the page asks for: images, planes as pictures, and the chunk below the pointer."""

import io
import json

import numpy as np
import pytest
import zarr

from tests.serve.serving import ask, json_of, serving
from tinc_codec import TINCCodec, inspect, stored_chunks, zarr_kwargs
from tinc_codec.hosts.pyramid import derive

Pillow = pytest.importorskip("PIL.Image")

V = np.random.default_rng(0).normal(100, 10, (2, 8, 70, 80)).astype("u2")
CODEC = TINCCodec(max_error=4, effort=1)
THREE = zarr_kwargs(CODEC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("serve") / "store.zarr"
    zarr.create_group(place)
    names = ["c", "z", "y", "x"]
    zarr.create_array(place / "image", data=V, chunks=(1, 8, 64, 64), dimension_names=names, **THREE)
    zarr.create_array(place / "two", data=V[0], chunks=(8, 64, 64), **zarr_kwargs(CODEC, zarr_format=2))
    zarr.create_array(place / "shards", data=V[0], chunks=(8, 32, 32), shards=(8, 64, 64), **THREE)
    zarr.create_array(place / "line", data=V[0, 0, 0].astype("f4"), **THREE)
    zarr.create_array(place / "plain", data=V[0, 0].astype("f8"))
    zarr.create_array(place / "holes", shape=(40, 70), dtype="f4", fill_value=np.nan, chunks=(20, 70), **THREE)
    zarr.create_array(place / "words", data=np.array(["a", "b"], dtype="U1"), zarr_format=2)
    zarr.create_array(place / "number", data=np.float32(2))
    datasets = [{"path": str(k)} for k in range(2)]
    image = {"version": "0.5", "multiscales": [{"axes": [{"name": n} for n in names], "datasets": datasets}]}
    group = zarr.create_group(place / "a" / "pyramid", attributes={"ome": image})
    zarr.create_array(group.store_path / "0", data=V, chunks=(1, 8, 64, 64), **THREE)
    zarr.create_array(group.store_path / "1", data=V[:, :, ::2, ::2], chunks=(1, 8, 64, 64), **THREE)
    return place


@pytest.fixture(scope="module")
def url(store):
    with serving(store) as served:
        yield served


def picture(url, path):
    status, headers, body = ask(url, path)
    assert (status, headers["content-type"]) == (200, "image/png"), body
    opened = Pillow.open(io.BytesIO(body))
    assert opened.mode == "L"
    return np.asarray(opened)


def test_images_and_arrays_are_listed_and_levels_of_an_image_are_not(url):
    images = {image["path"]: image for image in json_of(url, "/api/arrays")["images"]}
    assert sorted(images) == ["a/pyramid", "holes", "image", "line", "plain", "shards", "two"]
    image = images["image"]
    assert image["shape"] == [2, 8, 70, 80]
    assert image["axes"] == ["c", "z", "y", "x"]
    assert image["levels"][1] == {"shape": [2, 4, 35, 40], "factor": [1, 2, 2, 2]}
    assert (image["tinc"], image["derived"], image["url"]) == (True, True, "levels/image/image.zarr")
    pyramid = images["a/pyramid"]
    assert (pyramid["array"], pyramid["derived"], pyramid["url"]) == ("a/pyramid/0", False, "data.zarr/a/pyramid")
    assert [level["factor"] for level in pyramid["levels"]] == [[1, 1, 1, 1], [1, 1, 2, 2]]
    assert images["shards"]["chunks"] == [8, 32, 32]
    assert (images["plain"]["tinc"], len(images["plain"]["levels"])) == (False, 1)
    for name in images:
        inner = "zarr.json" if name != "two" or images[name]["derived"] else ".zarray"
        assert ask(url, f"/{images[name]['url']}/{inner}")[0] == 200


def test_a_plane_is_what_is_stored_between_black_and_white(url, store):
    stored = zarr.open_array(store / "image", mode="r")[:]
    expected = np.clip((stored[1, 7].astype(float) - 90) * 255 / 40, 0, 255).astype("u1")
    assert (picture(url, "/view/image?at=1,7&low=90&high=130") == expected).all()
    assert (picture(url, "/view/image?at=1,7&low=90&high=130&y=10:40&x=5:500") == expected[10:40, 5:]).all()
    coarse = derive(zarr.open_array(store / "image", mode="r"), {}).arrays[1][:]
    expected = np.clip((coarse[1, 3].astype(float) - 90) * 255 / 40, 0, 255).astype("u1")
    assert (picture(url, "/view/image?at=1,7&level=1&low=90&high=130") == expected).all()
    assert picture(url, "/view/a/pyramid?at=0,0&level=1").shape == (35, 40)
    assert picture(url, "/view/line?low=0&high=200").shape == (1, 80)
    for name in ("two", "shards"):
        assert picture(url, f"/view/{name}?at=3&low=0&high=200").shape == (70, 80)
    assert not picture(url, "/view/holes?low=0&high=1").any()
    assert set(np.unique(picture(url, "/view/plain?low=100&high=100"))) == {0, 255}


def test_contrast_leaves_out_the_extremes(url):
    known = json_of(url, "/api/contrast/plain")
    plane = V[0, 0].astype(float)
    assert (known["min"], known["max"]) == (plane.min(), plane.max())
    assert known["min"] < known["low"] < known["high"] < known["max"]
    assert json_of(url, "/api/contrast/line")["max"] > 0
    assert json_of(url, "/api/contrast/holes") == {"low": 0, "high": 0, "min": 0, "max": 0}
    assert json_of(url, "/api/contrast/image?at=1,6")["max"] > 0


@pytest.mark.parametrize(
    ("name", "at", "key"),
    [
        ("image", (1, 7, 65, 3), "image/c/1/0/1/0"),
        ("two", (7, 65, 79), "two/0.1.1"),
        ("shards", (7, 65, 33), "shards/c/0/1/0#1"),
        ("a/pyramid", (0, 0, 0, 0), "a/pyramid/0/c/0/0/0/0"),
    ],
)
def test_what_is_below_the_pointer(url, store, name, at, key):
    stored = zarr.open(store / name, mode="r")
    stored = stored if isinstance(stored, zarr.Array) else stored["0"]
    known = json_of(url, f"/api/chunk/{name}?at={','.join(map(str, at))}")
    info = inspect(dict(stored_chunks(store))[key])
    assert known["value"] == stored[at]
    assert known["chunk"] == [i // n for i, n in zip(at, stored.chunks, strict=True)]
    assert (known["bytes"], known["ratio"], known["kind"]) == (info.stored_bytes, info.ratio, info.kind)
    assert (known["psnr"], known["max_error"]) == (info.quality.psnr, info.quality.max_error)


def test_below_the_pointer_where_there_is_no_stream(url, store):
    expected = {"at": [3, 4], "value": float(V[0, 0, 3, 4]), "chunk": [0, 0], "kind": "not TINC"}
    expected["bytes"] = (store / "plain" / "c" / "0" / "0").stat().st_size
    assert json_of(url, "/api/chunk/plain?at=3,4") == expected
    missing = json_of(url, "/api/chunk/holes?at=25,4")
    assert (missing["value"], missing["bytes"]) == ("nan", 0)


def test_lossless_chunks_have_no_psnr_that_json_could_hold(tmp_path):
    zarr.create_array(tmp_path / "a", data=V[0, :4, :16, :16], **zarr_kwargs(TINCCodec(max_error=0)))
    with serving(tmp_path / "a") as url:
        known = json.loads(ask(url, "/api/chunk/?at=0,0,0")[2])
    assert (known["psnr"], known["max_error"], known["kind"]) == (None, 0, "lossless")


@pytest.mark.parametrize(
    "path",
    [
        "view/image",
        "view/image?at=0",
        "view/image?at=0,a",
        "view/image?at=0,-1",
        "view/image?at=0,0&level=9",
        "view/image?at=0,0&level=-1",
        "view/image?at=0,0&low=nan",
        "view/image?at=0,0&low=a",
        "view/image?at=0,0&y=5",
        "view/image?at=0,0&y=9:3",
        "view/image?at=0,0&y=90:99",
        "view/image?at=0,0&y=" + "9" * 50 + ":3",
        "api/chunk/image?at=0,0,0",
        "api/chunk/image?at=0,0,0,80",
    ],
)
def test_questions_that_make_no_sense(url, path):
    status, _, body = ask(url, f"/{path}")
    assert status == 400
    assert json.loads(body)["error"]


def test_what_cannot_be_looked_at(url):
    for path in ("view/nothing?at=0", "view/a", "view/", "view/words", "view/number", "api/contrast/number"):
        assert ask(url, f"/{path}")[0] == 404, path


def test_a_picture_has_its_limits(tmp_path):
    zarr.create_array(tmp_path / "a", shape=(5000, 5000), dtype="u1", chunks=(1000, 1000))
    with serving(tmp_path / "a", chunk=10**6) as url:
        assert ask(url, "/view/")[0] == 400
        assert ask(url, "/view/?y=0:10&x=4990:5000")[0] == 200
        assert ask(url, "/api/contrast/")[0] == 200
    with serving(tmp_path / "a", chunk=10**6 - 1) as url:
        assert ask(url, "/view/?y=0:10&x=0:10")[0] == 507
