"""Which arrays are images, by metadata."""

import numpy as np
import pytest

from tests.hosts.labels import SHAPE
from tinc_codec.hosts.images import Candidate, Folder, names_given, why_exact

U2 = np.dtype("u2")


def candidate(name="x", *, attributes=None, shape=SHAPE, dtype=U2, above=(), **other):
    return Candidate(name, shape, dtype, attributes or {}, above=tuple(above), **other)


def folder(name="g", **attributes):
    return Folder(name, attributes)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (candidate(), None),
        (candidate(dtype=np.dtype(bool)), "dtype bool"),
        (candidate(dtype=np.dtype("M8[ns]")), r"dtype datetime64\[ns\]"),
        (candidate(above=[folder("n", **{"image-label": {}})]), "label image"),
        (candidate(above=[folder("n", ome={"image-label": {}, "multiscales": []})]), "label image"),
        (candidate(above=[folder("cells"), folder("labels")]), "label image"),
        (candidate(above=[folder("Labels.zarr")]), "label image"),
        (candidate("labels"), "label image"),
        (candidate(attributes={"dtype": "bool"}), "mask"),
        (candidate(attributes={"flag_values": [0, 1]}), "flag_values"),
        (candidate(attributes={"flag_masks": [1, 2]}), "flag_masks"),
        (candidate(attributes={"units": "nanoseconds since 2024-01-01"}), "times"),
        (candidate(attributes={"units": "days", "dtype": "timedelta64[ns]"}), "times"),
        (candidate(attributes={"units": "counts"}), None),
        (candidate("e", named=names_given([{"bounds": "e"}])), "bounds"),
        (candidate("e", named=names_given([{"climatology": "e"}])), "climatology"),
        (candidate("lat", named=names_given([{"coordinates": "lon lat"}])), "coordinate"),
        (candidate("crs", named=names_given([{"grid_mapping": "crs: lat lon"}])), "grid_mapping"),
        (candidate("area", named=names_given([{"cell_measures": "area: area"}])), "cell_measures"),
        (candidate("err", named=names_given([{"ancillary_variables": "err"}])), "ancillary_variables"),
        (candidate("z", dimensions=("z", "y", "x")), "coordinate"),
        (candidate("z", axes=frozenset({"z"})), "coordinate"),
        (candidate(attributes={"encoding-type": "array"}), "table"),
        (candidate(above=[folder("obsm"), folder("t", **{"encoding-type": "anndata"})]), "table"),
        (candidate(above=[folder("0"), folder("points")]), "table"),
        (candidate(above=[folder("im", multiscales=[{}]), folder("r", **{"encoding-type": "mudata"})]), None),
        (candidate(shape=(90_000, 3)), "table of 3 columns"),
        (candidate(shape=(9000,)), "one axis"),
        (candidate(shape=()), "single value"),
        (candidate(shape=(4, 5, 6)), "small"),
        (candidate(shape=(0, 500, 500)), "empty"),
        (candidate(shape=(9000,), asked=True), None),
    ],
)
def test_what_metadata_say(given, reason):
    why = why_exact(given)
    assert (why is None) == (reason is None), why
    if reason is not None:
        import re

        assert re.search(reason, why)
