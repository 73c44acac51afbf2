"""neuroglancer, which looks at a store in a browser, and shows its samples at their places."""

import json
import os

import numpy as np
import pytest
import zarr

from tests.serve import javascript
from tests.serve.serving import serving
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.phantom import light_sheet

javascript.need("@sparticuz/chromium")
javascript.need("esbuild")
javascript.need("neuroglancer")
javascript.need("puppeteer-core")
Image = pytest.importorskip("PIL.Image")

Z, LOW, HIGH = 11, 90, 700
DEPTH, HEIGHT, WIDTH = 24, 100, 140


def state(source):
    """One voxel of a plane to a pixel of the screen, and nothing but the image."""
    shown = {"type": "image", "name": "image", "source": source}
    return {
        "dimensions": {axis: [1, ""] for axis in "xyz"},
        "position": [WIDTH / 2, HEIGHT / 2, Z],
        "crossSectionScale": 1,
        "layout": "xy",
        "layers": [{**shown, "shaderControls": {"normalized": {"range": [LOW, HIGH]}}}],
        **dict.fromkeys(("showAxisLines", "showDefaultAnnotations", "showScaleBar"), False),
    }


def shown_at(picture, plane):
    """Largest difference in grey levels of a picture and a plane that lies anywhere in it."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, plane.shape)[:, :, ::9, ::9]
    y, x = np.unravel_index(np.abs(windows - plane[::9, ::9]).mean((2, 3)).argmin(), windows.shape[:2])
    return np.abs(picture[y : y + plane.shape[0], x : x + plane.shape[1]] - plane).max()


def test_what_neuroglancer_shows_is_what_is_stored(tmp_path):
    volume = light_sheet((DEPTH, HEIGHT, WIDTH), seed=3)
    for name, zarr_format in (("two", 2), ("three", 3)):
        codec = zarr_kwargs(TINCCodec(ratio=16, effort=1), zarr_format=zarr_format)
        names = (
            {"dimension_names": ["z", "y", "x"]}
            if zarr_format == 3
            else {"attributes": {"_ARRAY_DIMENSIONS": list("zyx")}}
        )
        zarr.create_array(tmp_path / "s" / name, data=volume, chunks=(16, 64, 64), **names, **codec)
    zarr.create_group(tmp_path / "s")
    sources = {"three": "levels/three/image.zarr", "two": "levels/two/image.zarr"}
    pictures = {name: tmp_path / f"{name}.png" for name in sources}
    (tmp_path / "browser").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "browser"), "HOME": str(tmp_path / "browser")}
    with serving(tmp_path / "s") as url:
        states = [[state(f"zarr://{url}/{source}"), str(pictures[name])] for name, source in sources.items()]
        looks = javascript.run("neuroglancer.mjs", json.dumps(states), env=environment)
    (tmp_path / "browser" / "chromium").unlink()  # a few hundred MB, which pytest would keep
    for (name, source), look in zip(sources.items(), looks, strict=True):
        assert look["wrong"] == []
        answered = {place.removeprefix(f"{url}/{source}/"): status for status, place in look["asked"]}
        assert {key for key, status in answered.items() if status != 200} == {".zarray", ".zattrs"}  # it tries format 2
        assert {f"{level}/c/0/0/0" for level in (0, 1, 2)} <= answered.keys()
        plane = zarr.open_array(tmp_path / "s" / name, mode="r")[Z].astype(float)
        picture = np.asarray(Image.open(pictures[name]).convert("L")).astype(float)
        assert shown_at(picture, np.clip((plane - LOW) / (HIGH - LOW), 0, 1) * 255) <= 1, name
