"""What OME-Zarr's attributes say, well-formed or not."""

from tinc_codec.hosts import ome_zarr as ome


def test_attributes_in_a_zarr_format():
    image = {"name": "a", "axes": [], "datasets": []}
    newer = {"ome": {"version": "0.5", "multiscales": [image], "omero": {}}, "other": 1}
    assert ome.in_format(newer, 3) == newer
    assert ome.in_format(newer, 2) == {"multiscales": [{**image, "version": "0.4"}], "omero": {}, "other": 1}
    assert ome.in_format({"other": 1}, 2) == {"other": 1}
