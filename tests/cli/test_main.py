import json
import runpy
import sys

import numpy as np
import pytest
import zarr
from typer.testing import CliRunner
from zarr.storage import FsspecStore

import tinc_codec
from tests.cli.command import tinc
from tinc_codec import __version__
from tinc_codec.cli.main import app

pytest.importorskip("torch")
pytest.importorskip("matplotlib")


def test_wrong_settings_are_explained_in_a_line(tmp_path):
    result = tinc("demo", "--ratio", "0.5", "--output", tmp_path / "out")
    assert result.exit_code == 2
    assert "ratio=0.5 must be above 1" in result.output


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tinc ins", {"inspect"}),
        (
            "tinc bench ",
            {"figures", "ratios", "allocations", "bounds", "decibels", "efforts", "networks", "reads", "overhead"},
        ),
        ("tinc bench a.npy --peers jp", {"jpeg2000", "jpegxl"}),
        ("tinc suggest --js", {"--json"}),
    ],
)
def test_a_shell_completes_commands_studies_and_peers(line, expected):
    words = line.split(" ")
    asked = {"_TINC_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    result = CliRunner().invoke(app, [], env=asked, prog_name="tinc")
    assert set(result.stdout.split()) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_that_completes_is_shown(shell):
    result = CliRunner().invoke(app, [], env={"_TINC_COMPLETE": f"source_{shell}"}, prog_name="tinc")
    assert "_TINC_COMPLETE" in result.stdout
    assert "--install-completion" in tinc("--help").stdout


def test_version():
    assert tinc("--version").output.strip() == __version__


QUICK = ("--max-error", 20, "--effort", 1, "--workers", 1, "--devices", "cpu")


def test_compress_reports_and_export_gives_back(tmp_path, stored):
    packed = tmp_path / "b.zarr"
    planned = tinc("compress", stored, packed, *QUICK, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "2 tasks on 1 workers" in planned.output
    assert not packed.exists()
    result = tinc("compress", stored, packed, *QUICK, "--report", tmp_path / "r.html")
    assert result.exit_code == 0, result.output
    for word in ("max_error=20", "2 chunks written and 0 found done", "a worker held at most"):
        assert word in result.output
    assert "data:image/png" in (tmp_path / "r.html").read_text()
    assert "0 chunks written and 2 found done" in tinc("compress", stored, packed, *QUICK).output
    assert "residual" in tinc("inspect", packed).output
    exported = tinc("export", packed, tmp_path / "c.zarr", "--workers", 1, "--codec", "blosc")
    assert exported.exit_code == 0
    assert exported.output.count("decoded") == 2  # in the plan, and in the report
    assert "already compressed" not in exported.output
    got = zarr.open_array(tmp_path / "c.zarr", mode="r")[:]
    assert (got == zarr.open_array(packed, mode="r")[:]).all()
    assert np.abs(got.astype(int) - zarr.open_array(stored, mode="r")[:]).max() <= 20
    assert "decoded and written in" in tinc("export", packed, tmp_path / "c.tif").output


def test_jobs_as_json(tmp_path, stored, monkeypatch):
    planned = tinc("compress", stored, tmp_path / "b.zarr", *QUICK, "--dry-run", "--json")
    assert json.loads(planned.stdout)["tasks"] == 2
    result = tinc("compress", stored, tmp_path / "b.zarr", *QUICK, "--json")
    document = json.loads(result.stdout)
    assert (document["done"], document["reused"]) == (2, 0)
    assert document["arrays"][0]["max_error"] <= 20
    assert "chunks" in result.stderr  # the bar
    exported = tinc("export", tmp_path / "b.zarr", tmp_path / "c.tif", "--json")
    assert json.loads(exported.stdout)["stored_bytes"] == (tmp_path / "c.tif").stat().st_size
    assert "planes" in exported.stderr


def test_an_export_as_json(stored, monkeypatch):
    class Done:
        def as_json(self):
            return {"ratio": float("nan"), "done": 2}

    def export(*_, progress, **__):
        progress(1, 2)
        return Done()

    monkeypatch.setattr(tinc_codec, "export", export)
    result = tinc("export", stored, "c.zarr", "--json")
    assert json.loads(result.stdout) == {"ratio": None, "done": 2}
    assert "1/2" in result.stderr


def test_compress_in_place(stored):
    result = tinc("compress", stored, "--in-place", "--keep-original", *QUICK)
    assert result.exit_code == 0, result.output
    assert "TINC stream" not in tinc("inspect", stored).output
    assert (stored.parent / "a.zarr.tinc" / "old").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "a destination, or --in-place"),
        (("b.zarr", "--in-place"), "and not both"),
        (("b.zarr", "--report", "r.txt"), "must end with .html or .json"),
        (("b.zarr", "--chunks", "a,b"), "as in 64,64,64"),
        (("b.zarr", "--chunks", "8,8"), "do not fit"),
        (("b.zarr", "--devices", "tpu"), "is not known"),
    ],
)
def test_wrong_jobs_are_explained_in_a_line(stored, options, message):
    result = tinc("compress", stored, *options)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def mistakes(folder):
    """Commands that cannot work, with what is said of each."""
    (folder / "bad.zarr").mkdir()
    (folder / "bad.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node')
    (folder / "odd.zarr").mkdir()
    (folder / "odd.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "array"}')
    for name in ("n.tif", "n.npy", "n.tinc", "file"):
        (folder / name).write_text("none of them")
    yield ("compress", "bad.zarr", "o.zarr"), "not JSON"
    yield ("compress", "odd.zarr", "o.zarr"), "has no regular grid of chunks"
    yield ("compress", "n.tif", "o.zarr"), "not a TIFF that can be read"
    yield ("compress", "missing.tif", "o.zarr"), "does not exist"
    yield ("compress", "missing.zarr", "o.zarr"), "is not there"
    yield ("compress", "foo://x/a.zarr", "o.zarr"), "protocol that is not known"
    yield ("compress", "a.zarr", "o.zarr", "--scheduler", "nohost"), "scheduler 'nohost' does not answer"
    yield ("compress", "a.zarr", "o.zarr", "--ratio", "many"), "Invalid value for '--ratio'"
    yield ("compress", "a.zarr", "o.zarr", "--effort", "12"), "effort=12"
    yield ("compress", "a.zarr", "o.zarr", "--devices", "0,,1"), "devices='0,,1' is not known"
    yield ("compress", "a.zarr", "o.zarr", "--ration", "3"), "No such option"
    yield ("compress",), "Missing argument"
    yield ("compact",), "No such command 'compact'"
    yield ("export", "missing.zarr", "o.zarr"), "is not there"
    yield ("export", "bad.zarr", "o.tif"), "not JSON"
    yield ("export", "a.zarr", "nodir/o.tif"), "destination 'nodir/o.tif' is not there"
    yield ("export", "a.zarr", "file/o.tif"), "destination 'file/o.tif' cannot be used"
    yield ("export", "a.zarr", "o.tif", "--axes", "XX"), "axes='XX' do not fit"
    yield ("export", "a.zarr", "o.zarr", "--codec", "lz"), "codec='lz' is not known"
    yield ("inspect", "missing"), "path 'missing' is not there"
    yield ("inspect", "n.tinc"), "not a TINC stream"
    yield ("inspect", "a.zarr"), "holds no TINC stream"
    yield ("inspect", "bad.zarr"), "not JSON"
    yield ("inspect",), "Missing argument"
    yield ("demo", "--input", "n.npy"), "not an array that NumPy saved"
    yield ("demo", "--input", "n.tif"), "not a TIFF that can be read"
    yield ("demo", "--input", "bad.zarr"), "not JSON"
    yield ("demo", "--input", "a.zarr", "--output", "file/out", "--effort", 1), "output 'file/out' cannot be used"
    yield ("demo", "--zarr-format", "4"), "zarr_format=4 must be 2 or 3"
    yield ("compress", "a.zarr", "o.zarr", "--max-error", "2sigma"), "max_error=2 * tinc_codec.noise(array)"
    yield ("inspect", "a.zarr", "--image", "x.txt"), "must end with .png"
    yield ("inspect", "a.zarr", "--image", "nodir/x.png"), "there is no such folder"
    yield ("suggest", "missing.npy"), "is not there"
    yield ("suggest", "n.npy"), "not an array that NumPy saved"
    yield ("suggest", "a.zarr", "--effort", "12"), "effort=12"
    yield ("bench", "a.zarr", "--ratio", "a,b"), "ratio='a,b' must be numbers with commas"
    yield ("bench", "a.zarr", "--ratio", "0.5"), "ratio=0.5 must be above 1"
    yield ("bench", "a.zarr", "--effort", "1.5"), "must be whole numbers"
    yield ("bench", "a.zarr", "--crop", "0:5"), "has 1 parts, and the data 3 axes"
    yield ("bench", "a.zarr", "--peers", "mp3"), "peer 'mp3' is not known; known are sperr"
    yield ("bench", "a.zarr", "--page", "nodir/p.html"), "there is no such folder"
    yield ("bench", "a.zarr", "--page", "bad.zarr"), "is a directory"
    yield (
        ("bench", "ratios", "--ratio", "16"),
        "'ratios' is a study, which takes no --ratio: for data of this name",
    )
    yield ("bench", "ratios", "--effort", "1,3"), "which takes no several efforts"
    yield ("bench", "speed"), "neither a file here nor a study; studies are figures"
    yield ("bench", "figures", "--output", "nodir/f.json"), "there is no such folder"


def test_every_mistake_is_one_line_and_status_2(stored, monkeypatch):
    monkeypatch.chdir(stored.parent)
    for arguments, message in mistakes(stored.parent):
        result = tinc(*arguments)
        assert (result.exit_code, type(result.exception)) == (2, SystemExit), (arguments, result.output)
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: "), arguments
        assert message in line, arguments
    assert not (stored.parent / "o.zarr").exists()
    assert not list(stored.parent.glob("*.partial"))


def test_what_is_not_permitted_is_one_line(stored, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", str(stored))

    monkeypatch.setattr(zarr, "open", refused)
    result = tinc("demo", "--input", stored)
    assert result.exit_code == 2
    assert "is not permitted (Permission denied" in result.stderr


def test_a_package_that_a_protocol_needs_is_named(stored, monkeypatch):
    def missing(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(FsspecStore, "from_url", missing)
    result = tinc("compress", "s3://bucket/a.zarr", stored.parent / "o.zarr")
    assert result.exit_code == 2
    assert "Install s3fs" in result.stderr


def test_the_package_of_the_command_line_can_be_run(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tinc", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("tinc_codec.cli", run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out
