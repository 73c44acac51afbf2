import json

import numpy as np
import pytest

from tinc_codec import TINCCodec
from tinc_codec.errors import ConfigurationError
from tinc_codec.serve.codecs import ServedCodec
from tinc_codec.serve.documents import dtype_of, plain_array, recoded, rewritten, unsharded

RAW, BLOSC = ServedCodec("raw"), ServedCodec("blosc")
TINC = {"name": "tinc_codec.tinc", "configuration": {}}
CRC = {"name": "crc32c"}
LITTLE = {"name": "bytes", "configuration": {"endian": "little"}}


def grid(*shape):
    return {"name": "regular", "configuration": {"chunk_shape": list(shape)}}


def sharding(*codecs, shape=(4, 4)):
    settings = {"chunk_shape": list(shape), "codecs": list(codecs), "index_codecs": [LITTLE, CRC]}
    return {"name": "sharding_indexed", "configuration": settings}


def three(*codecs):
    document = {"zarr_format": 3, "node_type": "array", "shape": [20, 20], "data_type": "uint16"}
    return {**document, "chunk_grid": grid(8, 8), "codecs": list(codecs), "attributes": {"unit": "um"}}


TWO = {"zarr_format": 2, "shape": [20], "chunks": [8], "dtype": ">u2", "filters": None, "order": "F"}
OURS = {**TWO, "compressor": {"id": TINCCodec.codec_id}}


def test_an_array_names_the_codec_that_it_is_served_with_and_is_the_same_otherwise():
    assert plain_array(three(TINC, CRC), RAW) == three(LITTLE)
    assert plain_array(three(TINC), BLOSC) == three(*BLOSC.in_format_3(2))
    assert plain_array(OURS, RAW) == {**TWO, "compressor": None}
    assert plain_array(OURS, BLOSC) == {**TWO, "compressor": BLOSC.in_format_2()}
    assert plain_array({**TWO, "compressor": None, "filters": [OURS["compressor"]]}, RAW)["filters"] is None


@pytest.mark.parametrize(
    "document", [three(LITTLE, CRC), three(sharding(LITTLE)), {**TWO, "compressor": {"id": "zlib", "level": 1}}]
)
def test_an_array_of_another_codec_stays(document):
    assert plain_array(document, RAW) is document


def test_a_chunk_of_a_shard_becomes_one_of_the_array():
    document = three(sharding(TINC))
    assert unsharded(document) == {**three(TINC), "chunk_grid": grid(4, 4)}
    assert plain_array(document, RAW) == {**three(LITTLE), "chunk_grid": grid(4, 4)}
    nested = sharding(TINC, shape=(2, 2))
    assert unsharded(three(sharding(nested))) == {**three(nested), "chunk_grid": grid(4, 4)}


@pytest.mark.parametrize("document", [three(sharding(TINC), CRC), three(TINC), OURS])
def test_what_has_no_chunks_that_can_be_decoded_by_themselves_keeps_its_grid(document):
    assert unsharded(document) is document


def test_samples_are_little_endian_in_format_3_and_as_format_2_says():
    assert dtype_of(three(TINC)) == np.dtype("<u2")
    assert dtype_of({**three(TINC), "data_type": "float64"}) == np.dtype("<f8")
    assert dtype_of(OURS).str == ">u2"
    assert recoded({**three(TINC), "data_type": "uint8"}, BLOSC)["codecs"][1]["configuration"]["typesize"] == 1


def test_documents_with_a_codec_of_ours_are_rewritten_wherever_it_is_named():
    group = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    metadata = {"a": three(TINC), "plain": three(LITTLE), "g": group}
    served = {"a": three(LITTLE), "plain": three(LITTLE), "g": group}
    consolidated = {**group, "consolidated_metadata": {"kind": "inline", "metadata": metadata}}
    two = {"zarr_consolidated_format": 1, "metadata": {"a/.zarray": OURS, "a/.zattrs": {"id": "tinc"}, ".zgroup": {}}}
    for key, stored, expected in (
        ("a/zarr.json", three(TINC), three(LITTLE)),
        ("a/.zarray", OURS, plain_array(OURS, RAW)),
        ("zarr.json", consolidated, {**group, "consolidated_metadata": {"kind": "inline", "metadata": served}}),
        (".zmetadata", two, {**two, "metadata": {**two["metadata"], "a/.zarray": plain_array(OURS, RAW)}}),
    ):
        assert json.loads(rewritten(key, json.dumps(stored).encode(), RAW)) == expected, key


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        ("zarr.json", b'{ "zarr_format":3, "node_type":"group" }'),
        ("a/zarr.json", json.dumps(three(LITTLE), indent=7).encode()),
        (".zattrs", b"anything"),
        (".zgroup", b"anything"),
    ],
)
def test_documents_without_one_are_served_byte_for_byte(key, stored):
    assert rewritten(key, stored, RAW) == stored


@pytest.mark.parametrize("key", ["a/zarr.json", ".zarray", "b/.zmetadata"])
def test_what_is_not_json_is_named(key):
    with pytest.raises(ConfigurationError, match=f"{key} is not JSON"):
        rewritten(key, b"{", RAW)
