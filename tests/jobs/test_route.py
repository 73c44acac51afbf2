"""From where to where: places that can be, and those that cannot, before anything is written."""

import numpy as np
import pytest
import zarr

from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.route import Route


@pytest.mark.parametrize("settings", [{"dst": 7}, {"dst": "b.zarr", "ledger": 7}, {"dst": b"b.zarr"}])
def test_places_are_paths_or_urls(settings):
    with pytest.raises(ConfigurationError, match="must be a path, or a URL as text"):
        Route("a.zarr", **settings)


def test_the_jobs_files_lie_beside_the_store_unless_they_are_put_elsewhere(tmp_path, source):
    route = Route(source, tmp_path / "b.zarr")
    tree = route.source()
    assert route.files(tree).beside == tmp_path / "b.zarr.tinc"
    assert Route(source, tmp_path / "b.zarr", tmp_path / "job").files(tree).ledger == tmp_path / "job" / "ledger"
    assert (route.in_place, route.destination(tree)) == (False, str(tmp_path / "b.zarr"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr"]


def test_in_place_the_store_is_the_source(source):
    route = Route(source, None)
    tree = route.source()
    assert route.in_place
    assert route.files(tree).live == source
    assert route.destination(tree) == tree.name


def test_what_cannot_be_is_refused(tmp_path, source):
    array = Route(np.zeros((4, 4)), None)
    with pytest.raises(ConfigurationError, match="only a Zarr store in a local directory"):
        array.files(array.source())
    tree = Route(source, None).source()
    with pytest.raises(ConfigurationError, match="several workers cannot write one zip file"):
        Route(source, tmp_path / "b.zip").files(tree)
    with pytest.raises(ConfigurationError, match="say where to keep the job's ledger"):
        Route(source, "memory://b.zarr").files(tree)
    with pytest.raises(ConfigurationError, match="lies inside the source"):
        Route(source, source / "b.zarr").files(tree)


def test_a_source_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigurationError):
        Route(tmp_path / "nothing.zarr", None).source()
    zarr.create_group(tmp_path / "empty.zarr")
    assert Route(tmp_path / "empty.zarr", None).source().members == ()
