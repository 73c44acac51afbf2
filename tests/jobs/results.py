"""Jobs as tests run them, and what is asked of what comes out."""

import numpy as np
import zarr

import tinc_codec
from tinc_codec import TINCCodec
from tinc_codec.hosts.zarr3 import is_compressed

QUIET = {"progress": False}

BOUND = 20
CODEC = TINCCodec(max_error=BOUND, effort=1)


def compress(source, destination, client, **settings):
    return tinc_codec.compress(source, destination, CODEC, client=client, progress=False, **settings)


def compressed(path, name=""):
    return is_compressed(zarr.open_array(path, path=name, mode="r").metadata.to_dict())


def close(a, b, error=BOUND):
    return np.abs(a.astype("i8") - b.astype("i8")).max() <= error
