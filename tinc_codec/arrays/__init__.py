"""Arrays larger than memory: a store is compressed into a store, chunk by chunk, by dask's workers."""
