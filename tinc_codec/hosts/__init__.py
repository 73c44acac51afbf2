"""TINC as others know it: a numcodecs codec, a Zarr 3 serializer, coarser arrays, OME-Zarr, xarray.

May import encoding and below. Start with `codec` and `zarr3`.
"""
