"""The page in Chromium: nothing of it comes from elsewhere, and what it shows is what is stored."""

import os

import numpy as np
import pytest
import zarr

from tests.serve import javascript
from tests.serve.serving import serving
from tinc_codec import TINCCodec, zarr_kwargs
from tinc_codec.phantom import light_sheet

javascript.need("@sparticuz/chromium")
javascript.need("puppeteer-core")


@pytest.fixture
def store(tmp_path):
    codec = zarr_kwargs(TINCCodec(max_error=20, effort=1))
    names = {"dimension_names": ["z", "y", "x"]}
    volume = light_sheet((20, 100, 140), seed=3)
    zarr.create_group(tmp_path / "store.zarr")
    zarr.create_array(tmp_path / "store.zarr" / "image", data=volume, chunks=(16, 64, 64), **names, **codec)
    labels = (volume[0] > np.median(volume[0])).astype("u2") * 5
    zarr.create_array(tmp_path / "store.zarr" / "labels", data=labels)
    return tmp_path / "store.zarr"


def test_a_person_looks_at_a_store(store, tmp_path):
    (tmp_path / "browser").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "browser"), "HOME": str(tmp_path / "browser")}
    with serving(store) as url:
        (shown,) = javascript.run("look.mjs", f"{url}/", str(tmp_path / "page.png"), env=environment)
    (tmp_path / "browser" / "chromium").unlink()  # a few hundred MB, which pytest would keep
    assert shown["wrong"] == []
    assert (tmp_path / "page.png").stat().st_size > 20_000
    image = zarr.open_array(store / "image", mode="r")
    assert shown["about"]["shape"] == "20 \u00d7 100 \u00d7 140"
    assert shown["about"]["levels"] == "3, coarser ones derived"
    assert shown["pointer"]["voxel"] == "z 10, y 98, x 138"
    assert shown["pointer"]["value"] == f"{image[10, 98, 138]:,}"
    assert shown["pointer"]["chunk"] == "0, 1, 2"
    assert shown["pointer"]["stored"].endswith(" bytes")
    assert shown["pointer"]["PSNR"].endswith(" dB")
    size = {"width": 140, "height": 100}
    assert shown["first"].items() >= size.items()
    assert shown["slid"].items() >= size.items()
    assert shown["coarser"].items() >= {"width": 70, "height": 50}.items()
    assert len({shown[name]["sum"] for name in ("first", "slid", "coarser")} | {0}) == 4
    assert shown["places"] == [
        f"{url}/levels/image/image.zarr",
        f"zarr://{url}/levels/image/image.zarr",
        f"{url}/data.zarr/image",
    ]
    assert shown["other"].items() >= size.items()
