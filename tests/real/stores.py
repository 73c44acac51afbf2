"""Stores that other libraries make, compressed to a new place and in place, and read back by these libraries.

Run by hand, in an environment of its own, for these libraries ask for older versions of dask and pandas than the tests
do, and spatialdata 0.7 cannot write images with ome-zarr 0.16 and later::

    python3 -m venv real
    real/bin/pip install 'ome-zarr<0.13' spatialdata xarray distributed filelock
    real/bin/pip install '.[torch]'
    real/bin/python tests/real/stores.py DIRECTORY

Images must be within the bound, all else bit for bit the same. One line for each store and way; exit status 1 where
one fails. The versions of what it was run with are printed first.
"""

import json
import shutil
import subprocess
import sys
import traceback
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import zarr

from tinc_codec.phantom import light_sheet

BOUND = 20
LIBRARIES = ("ome-zarr", "spatialdata", "anndata", "xarray", "zarr", "dask", "numpy", "pandas")


def images_hold(given, got, where):
    """Compare samples that may differ within the bound, and must not all be as they were."""
    given, got = np.asarray(given), np.asarray(got)
    assert (given.shape, given.dtype) == (got.shape, got.dtype), where
    error = np.abs(given.astype("f8") - got.astype("f8"))
    assert error.max(initial=0) <= BOUND, f"{where}: error {error.max()}"


def same(given, got, where):
    """Compare what must be bit for bit the same."""
    given, got = np.asarray(given), np.asarray(got)
    assert (given.shape, given.dtype) == (got.shape, got.dtype), where
    if given.dtype.hasobject:
        assert given.tolist() == got.tolist(), where
    else:
        assert given.tobytes() == got.tobytes(), f"{where}: {(given != got).sum()} of {given.size} differ"


def make_plate(path, fmt):
    """An HCS plate: two wells of two fields, each with a pyramid, labels and a table."""
    from anndata import AnnData
    from ome_zarr import writer

    root = zarr.create_group(path, zarr_format=fmt.zarr_format)
    wells = ["A/1", "B/2"]
    writer.write_plate_metadata(root, ["A", "B"], ["1", "2"], wells, fmt=fmt, name="plate")
    for number, well in enumerate(wells):
        group = root.require_group(well)
        writer.write_well_metadata(group, ["0", "1"], fmt=fmt)
        for field in ("0", "1"):
            image = group.require_group(field)
            volume = light_sheet((16, 128, 128), seed=10 * number + int(field))[None]
            axes = [{"name": "c", "type": "channel"}]
            axes += [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
            levels = [{"z": 1, "y": 2, "x": 2}, {"z": 1, "y": 4, "x": 4}]
            writer.write_image(
                volume, image, axes=axes, fmt=fmt, scale_factors=levels, storage_options={"chunks": (1, 16, 64, 64)}
            )
            cells = (volume[0] > np.median(volume)).astype("u4") * np.arange(1, 17, dtype="u4")[:, None, None]
            colors = [{"label-value": 1, "rgba": [255, 0, 0, 255]}]
            writer.write_labels(
                cells, image, name="cells", axes="zyx", fmt=fmt, scale_factors=[2], label_metadata={"colors": colors}
            )
            features = np.random.default_rng(0).normal(size=(300, 40)).astype("f4")
            tables = image.require_group("tables")
            tables.attrs["tables"] = ["features"]
            write_table(tables, "features", AnnData(features))


def write_table(group, name, table):
    """Write an AnnData table, as fractal and ngio put it into a plate's images."""
    from anndata.io import write_elem

    if group.metadata.zarr_format == 3:
        import anndata

        anndata.settings.zarr_write_format = 3
    write_elem(group, name, table)


def compare_plates(given, got):
    """Read both with ome-zarr's reader, and the tables with anndata."""
    from anndata.io import read_elem
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    fields = [f"{well}/{field}" for well in ("A/1", "B/2") for field in "01"]
    for field in fields:
        nodes = [list(Reader(parse_url(Path(store) / field, mode="r"))()) for store in (given, got)]
        assert len(nodes[0]) == len(nodes[1]) == 3, f"{field}: {len(nodes[0])} and {len(nodes[1])} nodes"
        for before, after in zip(*nodes, strict=True):
            compare = same if "labels" in str(before.zarr) else images_hold
            assert before.metadata == after.metadata, field
            assert len(before.data) == len(after.data), field
            for level, (a, b) in enumerate(zip(before.data, after.data, strict=True)):
                compare(a, b, f"{before.zarr} level {level}")
        tables = [read_elem(zarr.open_group(Path(s) / field, mode="r")["tables/features"]) for s in (given, got)]
        same(tables[0].X, tables[1].X, f"{field}/tables")
        assert tables[0].obs.equals(tables[1].obs)
        assert tables[0].var.equals(tables[1].var)
    plates = [next(Reader(parse_url(store, mode="r"))()) for store in (given, got)]
    images_hold(plates[0].data[0], plates[1].data[0], "plate")


def make_spatial(path, _):
    """Images, multiscale images, labels, points, shapes and a table."""
    from spatialdata.datasets import blobs
    from spatialdata.models import Image2DModel

    data = blobs(length=256, n_points=300, n_shapes=12)
    pixels = light_sheet((3, 256, 256), seed=4)
    data.images["microscope"] = Image2DModel.parse(pixels, dims=("c", "y", "x"))
    data.images["pyramid"] = Image2DModel.parse(pixels, dims=("c", "y", "x"), scale_factors=[2, 2])
    data.write(path)


def compare_spatial(given, got):
    """Read both with spatialdata, and compare every element."""
    import spatialdata

    before, after = (spatialdata.read_zarr(path) for path in (given, got))
    names = [sorted(name for _, name, _ in store.gen_elements()) for store in (before, after)]
    assert names[0] == names[1], names
    for kind, compare in (("images", images_hold), ("labels", same)):
        for name, image in getattr(before, kind).items():
            for level, (a, b) in enumerate(zip(levels(image), levels(getattr(after, kind)[name]), strict=True)):
                compare(a, b, f"{kind}/{name} level {level}")
    for name, points in before.points.items():
        assert points.compute().equals(after.points[name].compute()), name
    for name, shapes in before.shapes.items():
        assert shapes.equals(after.shapes[name]), name
    for name, table in before.tables.items():
        other = after.tables[name]
        same(dense(table.X), dense(other.X), name)
        assert table.obs.equals(other.obs), name
        assert table.var.equals(other.var), name
        assert json.dumps(table.uns, default=str, sort_keys=True) == json.dumps(
            other.uns, default=str, sort_keys=True
        ), name


def levels(image):
    """Samples of each resolution."""
    if not hasattr(image, "children"):
        return [np.asarray(image.data)]
    return [np.asarray(next(iter(scale.data_vars.values())).data) for scale in image.children.values()]


def dense(matrix):
    """A table's values, whether they are stored sparsely or not."""
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


def make_dataset(path, zarr_format):
    """A dataset with CF times, bounds, a mask, flags, packed values, coordinates of rank two and a grid mapping."""
    import pandas as pd
    import xarray as xr

    rng = np.random.default_rng(1)
    times = pd.date_range("2024-01-01", periods=12, freq="7h")
    y, x = np.linspace(50, 52, 96), np.linspace(5, 8, 128)
    field = light_sheet((12, 96, 128), seed=5).astype("f4")
    field[:, :5] = np.nan
    lat, lon = np.meshgrid(y, x, indexing="ij")
    dataset = xr.Dataset(
        {
            "temperature": (("time", "y", "x"), field, {"units": "K", "grid_mapping": "crs"}),
            "packed": (("time", "y", "x"), 300.0 + rng.integers(0, 900, field.shape) / 100),
            "quality": (
                ("time", "y", "x"),
                rng.integers(0, 4, field.shape).astype("i1"),
                {"flag_values": np.array([0, 1, 2, 3], "i1"), "flag_meanings": "good fair poor bad"},
            ),
            "land": (("y", "x"), lat > 51),
            "observed": (
                ("time", "y", "x"),
                times.values[:, None, None] + rng.integers(0, 10**9, field.shape) * np.timedelta64(1, "us"),
            ),
            "time_bounds": (("time", "edge"), np.stack([times.values, times.values + np.timedelta64(7, "h")], 1)),
            "crs": ((), np.int32(0), {"grid_mapping_name": "latitude_longitude"}),
        },
        coords={
            "time": ("time", times, {"bounds": "time_bounds"}),
            "lat": (("y", "x"), lat),
            "lon": (("y", "x"), lon),
            "site": ("y", [f"row {n}" for n in range(96)]),
        },
        attrs={"Conventions": "CF-1.8"},
    )
    packed = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 300.0, "_FillValue": -32768}
    encoding = {"packed": packed, "observed": {"units": "microseconds since 2024-01-01", "dtype": "i8"}}
    dataset.to_zarr(path, zarr_format=zarr_format, encoding=encoding, consolidated=True)


def compare_datasets(given, got):
    """Read both with xarray, as stored and as decoded."""
    import xarray as xr

    for decoded in (False, True):
        before, after = (xr.open_zarr(path, decode_cf=decoded).load() for path in (given, got))
        assert before.attrs == after.attrs
        assert list(before.variables) == list(after.variables)
        for name, variable in before.variables.items():
            other = after.variables[name]
            assert (variable.dims, str(variable.attrs)) == (other.dims, str(other.attrs)), name
            if name in ("temperature", "packed"):
                held = np.isfinite(variable.values) if variable.dtype.kind == "f" else np.ones(variable.shape, bool)
                same(np.isnan(variable.values.astype("f8")), np.isnan(other.values.astype("f8")), name)
                images_hold(np.where(held, variable.values, 0), np.where(held, other.values, 0), name)
            else:
                same(variable.values, other.values, name)


def compress(*arguments):
    """Run the command."""
    command = [sys.executable, "-m", "tinc_codec.cli", "compress", *map(str, arguments), "--max-error", str(BOUND)]
    done = subprocess.run([*command, "--effort", "1", "--workers", "1"], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1:]
    assert done.returncode == 0, f"exit status {done.returncode}: {last}"


def tried(name, make, argument, compare, folder):
    """Make a store, compress it both ways, and compare; whether all of it held."""
    held = True
    given = folder / f"{name}.zarr"
    make(given, argument)
    shutil.copytree(given, folder / f"{name} kept.zarr")
    ways = {"to a new place": (given, folder / f"{name} new.zarr"), "in place": (given, "--in-place")}
    for way, arguments in ways.items():
        try:
            compress(*arguments)
            compare(folder / f"{name} kept.zarr", given if way == "in place" else arguments[1])
            ratio = size(folder / f"{name} kept.zarr") / size(given if way == "in place" else arguments[1])
            print(f"OK    {name} {way}: {ratio:.2f} times smaller", flush=True)
        except Exception as error:
            held = False
            last = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL  {name} {way}: {type(error).__name__} in {last.name}: {error}", flush=True)
    return held


def size(store):
    """Bytes of all files."""
    return sum(file.stat().st_size for file in store.rglob("*") if file.is_file())


def main(folder):
    """Try all stores in a directory."""
    from ome_zarr.format import FormatV04, FormatV05

    warnings.filterwarnings("ignore")
    print(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    held = [
        tried("plate 0.4", make_plate, FormatV04(), compare_plates, folder),
        tried("plate 0.5", make_plate, FormatV05(), compare_plates, folder),
        tried("spatial", make_spatial, None, compare_spatial, folder),
        tried("dataset 2", make_dataset, 2, compare_datasets, folder),
        tried("dataset 3", make_dataset, 3, compare_datasets, folder),
    ]
    sys.exit(not all(held))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
