"""Fixtures of jobs, which what hosts do is tried with as well: one cluster for all of them."""

import numpy as np
import pytest
import zarr

from tinc_codec import TINCCodec
from tinc_codec.phantom import light_sheet


@pytest.fixture(scope="session")
def client():
    """Workers in threads of this process: tasks are pickled all the same."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit="4 GiB"
    ) as client:
        yield client


@pytest.fixture(scope="session")
def volume():
    return light_sheet((40, 50, 60), seed=3)


@pytest.fixture
def bounded():
    """A codec that is quick and whose promise can be checked."""
    return TINCCodec(max_error=20, effort=1)


@pytest.fixture
def source(tmp_path, volume):
    zarr.create_array(
        tmp_path / "a.zarr", data=volume, chunks=(16, 32, 32), compressors=None, attributes={"unit": "um"}
    )
    return tmp_path / "a.zarr"


def read_files(store):
    """Every file of a store and its bytes."""
    return {f.relative_to(store).as_posix(): f.read_bytes() for f in sorted(store.rglob("*")) if f.is_file()}


@pytest.fixture
def files():
    return read_files


def block_pyramid(volume, levels):
    from tinc_codec.jobs.sources import block_mean

    pyramid = [volume]
    for _ in range(levels - 1):
        pyramid.append(block_mean(pyramid[-1], (2, 2, 2)))
    return pyramid


def write_ome(place, volume, version):
    """An OME-Zarr image in version 0.4 or 0.5, with labels and a file that is no node's."""
    zarr_format = 2 if version == "0.4" else 3
    datasets = [
        {"path": str(k), "coordinateTransformations": [{"type": "scale", "scale": [2.0**k] * 3}]} for k in range(3)
    ]
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    image = {"name": "brain", "axes": axes, "datasets": datasets}
    attributes = {"version": version, "multiscales": [image]}
    if version == "0.4":
        attributes = {"multiscales": [{**image, "version": version}]}
    wrap = (lambda a: a) if version == "0.4" else (lambda a: {"ome": a})
    root = zarr.create_group(place, zarr_format=zarr_format, attributes=wrap(attributes))
    keys = {"chunk_key_encoding": {"name": "v2", "separator": "/"}} if version == "0.4" else {}
    names = {"dimension_names": list("zyx")} if version == "0.5" else {}
    for k, level in enumerate(block_pyramid(volume, 3)):
        array = root.create_array(str(k), shape=level.shape, dtype=level.dtype, chunks=(16, 32, 32), **keys, **names)
        array[:] = level
    labels = root.create_group("labels", attributes=wrap({"labels": ["cells"]}))
    group = labels.create_group("cells", attributes=wrap({"image-label": {"colors": []}, "multiscales": [image]}))
    array = group.create_array("0", shape=volume.shape, dtype="u4", chunks=(16, 32, 32), **keys)
    array[:] = (volume > np.median(volume)).astype("u4") * np.arange(volume.shape[0], dtype="u4")[:, None, None]
    (place / "OME").mkdir()
    (place / "OME" / "METADATA.ome.xml").write_text("<OME/>")
    return place


@pytest.fixture
def few_steps(monkeypatch):
    """Networks are trained for next to nothing: how good they are is not the point."""
    training = pytest.importorskip("tinc_codec.encoding.fit.training")
    monkeypatch.setattr(training, "STEPS", dict.fromkeys(range(1, 10), 12))
    monkeypatch.setattr(training, "CORRECTIONS", 1)


@pytest.fixture
def ome(tmp_path, volume):
    """Writes such images, see `write_ome`."""
    return lambda version, name="image.zarr": write_ome(tmp_path / name, volume, version)
