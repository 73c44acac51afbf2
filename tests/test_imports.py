"""Imports point one way (the layout's architecture), without circles, and reading needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tinc_codec

ROOT = Path(tinc_codec.__file__).parent
LAYERS = [
    {"errors"},
    {"parsing"},
    {"targets"},
    {"config", "metrics", "noise_level", "phantom"},
    {"runtime"},
    {"tree"},
    {"stream"},
    {"residual"},
    {"detail"},
    {"backends"},
    {"decoding"},
    {"encoding"},
    {"hosts"},
    {"jobs", "serve"},
    {"bench"},
    {"cli"},
    {"__init__"},
]
"""From the bottom: a part of the package imports from those below its own layer, or from itself."""

ONLY_IN = {
    "torch": {"encoding/fit", "backends/torch", "backends/triton", "decoding/tensors.py"},
    "triton": {"backends/triton"},
    "zarr": {"hosts", "jobs", "serve", "cli", "bench"},
    "numba": {"backends"},
    "llvmlite": {"backends/numba"},
    "cupy": {"hosts/zarr3.py"},
    "typer": {"cli"},
    "rich": {"cli", "jobs/report/terminal.py"},
    "constriction": {"stream/ans.py", "stream/entropy.py", "stream/ans_lanes.py"},
    "pcodec": {"stream/pcodec_file.py", "bench"},
    "matplotlib": {"bench/plots.py", "cli/demonstration.py", "cli/pictures.py", "jobs/report/html.py"},
    "tifffile": {"cli/demonstration.py", "jobs"},
    "imagecodecs": {"bench"},
    "av": {"bench"},
    "scipy": {"bench/objects.py"},
    "skimage": {"bench/objects.py"},
    "dask": {"jobs", "hosts/multiscale.py"},
    "distributed": {"jobs", "cli"},
    "xarray": {"hosts", "jobs"},
    "starlette": {"serve/app.py"},
    "uvicorn": {"serve/server.py"},
    "PIL": {"serve/looks.py"},
}
"""Folders or files that alone may import a library."""


def files():
    return sorted(ROOT.rglob("*.py"))


def modules():
    """The package's modules by their names."""
    names = {}
    for file in files():
        parts = ("tinc_codec", *file.relative_to(ROOT).with_suffix("").parts)
        names[".".join(parts).removesuffix(".__init__")] = file
    return names


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def prefixes(name):
    """A dotted name, and all that it begins with, longest first."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def part(file):
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


def layer(name):
    return next(number for number, parts in enumerate(LAYERS) if name in parts)


@pytest.mark.parametrize("file", files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_imports_point_downwards(file):
    here = part(file)
    for name in imports(file):
        if name.startswith("tinc_codec.") and name != "tinc_codec.__version__":
            there = name.split(".")[1]
            assert there == here or layer(there) < layer(here), f"{here} imports {name}"


def test_there_are_no_circles():
    known = modules()
    edges = {}
    for name, file in known.items():
        edges[name] = set()
        for imported in imports(file):
            target = next((part for part in prefixes(imported) if part in known), "tinc_codec")
            if target not in (name, "tinc_codec"):
                edges[name].add(target)
    while edges:
        free = {name for name, targets in edges.items() if not targets & edges.keys()}
        assert free, f"these import each other in circles, or import those that do: {sorted(edges)}"
        edges = {name: targets for name, targets in edges.items() if name not in free}


def test_a_reference_knows_no_twin_and_decoding_no_encoder():
    for file in files():
        for name in imports(file):
            if part(file) in ("tree", "stream", "residual", "detail"):
                assert not name.startswith("tinc_codec.backends"), file
            if part(file) in ("backends", "decoding"):
                assert not name.startswith("tinc_codec.encoding"), file
            if file.is_relative_to(ROOT / "encoding" / "fit"):
                assert not name.startswith(("tinc_codec.stream", "tinc_codec.residual")), file


def test_backends_are_chosen_in_one_place():
    for file in files():
        inside = file.is_relative_to(ROOT / "backends")
        for name in imports(file):
            if name.startswith("tinc_codec.backends.numba") and name != "tinc_codec.backends.numba.compiler.jit":
                assert inside, f"{file} imports {name}"


def test_libraries_stay_in_their_places():
    for file in files():
        place = file.relative_to(ROOT).as_posix()
        for name in imports(file):
            allowed = ONLY_IN.get(name.split(".")[0])
            if allowed is not None:
                assert any(place == one or place.startswith(f"{one}/") for one in allowed), f"{place} imports {name}"


def test_every_folder_says_what_it_is_for():
    for file in files():
        if file.name == "__init__.py":
            described = ast.get_docstring(ast.parse(file.read_text()))
            assert described, file
            assert file.parent == ROOT or "Start with" in described, file


def test_torch_is_imported_only_when_it_is_used():
    code = (
        "import sys, numpy, tinc_codec, tinc_codec.hosts.zarr3, tinc_codec.decoding.inspect\n"
        "tinc_codec.TINCCodec().encode(numpy.zeros((64, 64)))\n"
        "assert not {'torch', 'matplotlib', 'dask', 'xarray', 'numba', 'starlette', 'uvicorn'} & set(sys.modules)\n"
        "import tinc_codec.encoding.fit.training\n"
        "assert 'torch' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_stay_small():
    for file in files():
        assert len(file.read_text().splitlines()) <= 320, file
