"""Serve each store in a directory, and read it over HTTP by numcodecs alone: serve.py DIRECTORY (of .ci/stores.py)."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import zarr
from numcodecs import Blosc


def fetch(url):
    """The bytes at a URL; None: there are none."""
    try:
        with urlopen(url) as answer:
            return answer.read()
    except HTTPError as error:
        if error.code != 404:
            raise
        return None


def read(url):
    """All samples of an array, by what its metadata say."""
    stored = fetch(f"{url}/zarr.json")
    document = json.loads(stored or fetch(f"{url}/.zarray"))
    if stored:
        dtype, chunks = np.dtype(document["data_type"]), document["chunk_grid"]["configuration"]["chunk_shape"]
        order, names = "C", [codec["name"] for codec in document["codecs"]]
    else:
        dtype, chunks, order = np.dtype(document["dtype"]), document["chunks"], document["order"]
        names = ["bytes", document["compressor"]["id"]]
        assert document["filters"] is None
    assert names == ["bytes", "blosc"], names
    shape = document["shape"]
    samples = np.full(shape, document["fill_value"] or 0, dtype)
    for index in itertools.product(*(range(-(-n // m)) for n, m in zip(shape, chunks, strict=True))):
        numbers = list(map(str, index))
        data = fetch(f"{url}/" + ("/".join(["c", *numbers]) if stored else ".".join(numbers)))
        if data is not None:
            chunk = np.frombuffer(Blosc().decode(data), dtype).reshape(chunks, order=order)
            place = tuple(slice(i * m, (i + 1) * m) for i, m in zip(index, chunks, strict=True))
            samples[place] = chunk[tuple(map(slice, samples[place].shape))]
    return samples


def main(folder):
    """Compare what is served with what zarr reads."""
    stores = sorted(folder.glob("*.zarr"))
    assert stores, folder
    for store in stores:
        command = [sys.executable, "-m", "tinc_codec.cli", "serve", str(store)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                url = server.stdout.readline().split()[-1]
                assert np.array_equal(read(url), zarr.open_array(store, mode="r")[...], equal_nan=True), store
            finally:
                server.terminate()
    print(f"{len(stores)} stores are served with zarr {zarr.__version__}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
