"""Stores that URLs name."""

import pytest

from tinc_codec.hosts.stores import local_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a/b.zarr", "a/b.zarr"),
        ("a b/12:30#1?.zarr", "a b/12:30#1?.zarr"),
        ("file:///a/b.zarr", "/a/b.zarr"),
        ("file:/a/b.zarr", "/a/b.zarr"),
        ("local:///a/b.zarr", "/a/b.zarr"),
        ("file:///a/b#1?c%20d.zarr", "/a/b#1?c%20d.zarr"),
        ("s3://bucket/a", None),
        ("simplecache::s3://bucket/a", None),
    ],
)
def test_which_destinations_are_local(given, expected):
    path = local_path(given)
    assert (path and path.as_posix()) == expected
