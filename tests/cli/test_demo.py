"""The demo: of any input, with any number of axes; what it cannot take is said in a line."""

import json

import numpy as np
import pytest
import zarr

from tests.cli.command import tinc
from tinc_codec.cli import demonstration
from tinc_codec.phantom import light_sheet

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".zarr"])
def test_demo_of_a_file(tmp_path, suffix):
    volume = light_sheet((16, 40, 48))
    file = tmp_path / f"volume{suffix}"
    if suffix == ".npy":
        np.save(file, volume)
    elif suffix == ".tif":
        pytest.importorskip("tifffile").imwrite(file, volume)
    else:
        zarr.create_array(file, data=volume)
    zarr_format = 2 if suffix == ".npy" else 3
    quick = ("--effort", 1, "--ratio", 16, "--zarr-format", zarr_format)
    result = tinc("demo", "--input", file, "--output", tmp_path / "out", *quick)
    assert result.exit_code == 0, result.output
    for word in ("PSNR", "SSIM", "ratio", "compressing", "reading back"):
        assert word in result.output
    assert (tmp_path / "out" / "slices.png").read_bytes().startswith(b"\x89PNG")
    opened = zarr.open(tmp_path / "out" / "volume.zarr", mode="r")
    assert opened.shape == volume.shape
    assert opened.metadata.zarr_format == zarr_format


@pytest.mark.parametrize("shape", [(400,), (40, 50), (2, 16, 20, 24), (1, 1, 30, 30)])
def test_demo_of_any_number_of_axes(tmp_path, shape):
    x = np.sin(np.arange(np.prod(shape)) / 30).reshape(shape).astype("f4")
    np.save(tmp_path / "x.npy", x)
    result = tinc("demo", "--input", tmp_path / "x.npy", "--output", tmp_path / "out", "--effort", 1, "--ratio", 8)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("name", "message"), [("nothing.npy", "does not exist"), ("text.txt", "neither .npy, .tif nor a Zarr directory")]
)
def test_wrong_inputs_are_explained_in_a_line(tmp_path, name, message):
    if name == "text.txt":
        (tmp_path / name).write_text("hello")
    result = tinc("demo", "--input", tmp_path / name, "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_demo_keeps_a_bound(tmp_path):
    volume = light_sheet((16, 40, 48)).astype("f4")
    volume[3, 4, 5:9] = np.nan
    np.save(tmp_path / "x.npy", volume)
    quick = ("--max-error", 20, "--effort", 1, "--output", tmp_path / "out")
    result = tinc("demo", "--input", tmp_path / "x.npy", *quick)
    assert result.exit_code == 0, result.output
    assert "nan" not in result.output
    got = zarr.open_array(tmp_path / "out" / "volume.zarr", mode="r")[:]
    assert np.nanmax(np.abs(got - volume)) <= 20
    assert (np.isnan(got) == np.isnan(volume)).all()


def test_demo_as_json(tmp_path):
    np.save(tmp_path / "x.npy", light_sheet((16, 40, 48)))
    quick = ("--ratio", 16, "--effort", 1, "--json")
    result = tinc("demo", "--input", tmp_path / "x.npy", "--output", tmp_path / "o", *quick)
    document = json.loads(result.stdout)
    assert document["ratio"] == document["raw_bytes"] / document["stored_bytes"] > 10
    assert document["setting"] == {"ratio": 16}
    assert document["output"] == str(tmp_path / "o")
    assert "compressing" in result.stderr


def test_without_a_setting_what_is_lost_is_below_the_noise(tmp_path):
    np.save(tmp_path / "x.npy", light_sheet((16, 40, 48)))
    result = tinc("demo", "--input", tmp_path / "x.npy", "--output", tmp_path / "o", "--json")
    document = json.loads(result.stdout)
    assert 0.8 * document["noise"] < document["rmse"] <= document["noise"]
    assert set(document["setting"]) == {"psnr", "data_range"}
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("chosen: psnr=")]
    assert "noise was measured as" in line
    assert (
        zarr.open_array(tmp_path / "o" / "volume.zarr").metadata.to_dict()["codecs"][0]["configuration"]["effort"] == 1
    )


def test_labels_are_kept_as_they_are_and_a_given_setting_wins(tmp_path):
    labels = np.zeros((16, 40, 48), "u2")
    labels[3:9, 10:30, 5:20] = 7
    np.save(tmp_path / "x.npy", labels)
    chosen = tinc("demo", "--input", tmp_path / "x.npy", "--output", tmp_path / "o")
    assert "chosen: max_error=0; these data should stay exact: 2 distinct values" in chosen.output
    assert (zarr.open_array(tmp_path / "o" / "volume.zarr", mode="r")[:] == labels).all()
    given = tinc("demo", "--input", tmp_path / "x.npy", "--output", tmp_path / "o", "--max-error", 1)
    assert given.exit_code == 0
    assert "chosen" not in given.output


def test_what_the_picture_needs_is_said_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "find_spec", lambda _: None)
    result = tinc("demo", "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert "the picture needs matplotlib" in result.output
    assert not (tmp_path / "out").exists()
