"""Imports point one way (the layout's architecture), and reading needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tinc_codec

ROOT = Path(tinc_codec.__file__).parent
RANK = {
    "errors": 0,
    "parsing": 0.5,
    "config": 1,
    "runtime": 1.3,
    "threads": 1.6,
    "jit": 1.6,
    "caching": 1.6,
    "lazy": 0,
    "readers": 1.6,
    "metrics": 1,
    "kept": 2,
    "phantom": 1,
    "usable": 1,
    "reporting": 1,
    "progress": 1,
    "tree": 2,
    "stream": 3,
    "fit": 3,
    "residual": 4,
    "detail": 4,
    "source": 4,
    "reading": 5,
    "decoding": 6,
    "inspection": 7,
    "assembly": 7,
    "tables": 8,
    "modelling": 8,
    "targets": 9,
    "encoding": 10,
    "rewriting": 10.5,
    "codec": 11,
    "stored": 11.5,
    "opening": 11.5,
    "zarr3": 12,
    "arrays": 13,
    "demo": 13,
    "bench": 14,
    "cli": 15,
    "__init__": 16,
}
"""A module imports only from ranks below its own, or from its own package."""

ONLY_IN = {
    "torch": {"fit", "tree/inference_torch.py", "reading/tensors.py"},
    "zarr": {"opening.py", "stored.py", "zarr3.py", "demo.py", "arrays", "bench"},
    "numba": {"jit.py", "tree/microkernel.py"},
    "llvmlite": {"tree/microkernel.py"},
    "cupy": {"zarr3.py"},
    "typer": {"cli.py", "reporting.py"},
    "rich": {"cli.py", "reporting.py", "demo.py", "tables.py", "arrays/show.py"},
    "constriction": {"stream/ans.py", "stream/entropy.py", "stream/lanes.py"},
    "pcodec": {"stream/lossless.py", "bench"},
    "matplotlib": {"demo.py", "arrays/page.py"},
    "tifffile": {"demo.py", "arrays"},
    "imagecodecs": {"bench"},
    "dask": {"arrays"},
    "distributed": {"arrays", "cli.py"},
    "xarray": {"arrays"},
}


def files():
    return sorted(ROOT.rglob("*.py"))


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == "tinc_codec":
                yield from (f"tinc_codec.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def part(file):
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_imports_point_downwards(file):
    here = part(file)
    for name in imports(file):
        if name.startswith("tinc_codec."):
            there = name.split(".")[1]
            if there == "__version__":
                continue
            assert there == here or RANK[there] < RANK[here], f"{here} imports {name}"


def test_fit_and_stream_do_not_know_each_other_and_decoding_knows_no_fit():
    for file in files():
        names = {name.split(".")[1] for name in imports(file) if name.startswith("tinc_codec.")}
        if part(file) in ("stream", "residual", "detail", "reading", "decoding", "inspection", "tree"):
            assert "fit" not in names
        if part(file) == "fit":
            assert "stream" not in names


def test_libraries_stay_in_their_places():
    for file in files():
        place = file.relative_to(ROOT)
        for name in imports(file):
            library = name.split(".")[0]
            allowed = ONLY_IN.get(library)
            if allowed is not None:
                assert place.as_posix() in allowed or place.parts[0] in allowed, f"{place} imports {library}"


def test_torch_is_imported_only_when_it_is_used():
    code = (
        "import sys, numpy, tinc_codec, tinc_codec.hosts.zarr3, tinc_codec.decoding.inspect\n"
        "tinc_codec.TINCCodec().encode(numpy.zeros((64, 64)))\n"
        "assert not {'torch', 'matplotlib', 'dask', 'xarray', 'numba'} & set(sys.modules)\n"
        "import tinc_codec.encoding.fit.training\n"
        "assert 'torch' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_stay_small():
    for file in files():
        assert len(file.read_text().splitlines()) <= 320, file
