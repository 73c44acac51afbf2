"""Arrays that have coarser levels, in every layout."""

import zarr

from tinc_codec import TINCCodec, zarr_kwargs

LOSSLESS = TINCCodec(max_error=0)
LAYOUTS = {
    "format 2": {"zarr_format": 2},
    "format 3": {"zarr_format": 3},
    "shards": {"zarr_format": 3, "shards": (64, 64, 64)},
}


def create(place, data, chunks, codec=LOSSLESS, zarr_format=3, **settings):
    return zarr.create_array(place, data=data, chunks=chunks, **zarr_kwargs(codec, zarr_format=zarr_format), **settings)
