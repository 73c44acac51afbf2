"""Streams of released format versions decode to the same bytes for ever. They are never written again."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from tests import reference
from tinc_codec import decode, set_process
from tinc_codec.decoding.inspect import inspect

FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "manifest.json").read_text())
NAMES = pytest.mark.parametrize("name", sorted(GOLDEN))


def digest(array):
    return hashlib.sha256(array.tobytes(order="C")).hexdigest()


def check(array, expected):
    assert list(array.shape) == expected["shape"]
    assert array.dtype.str == expected["dtype"]
    assert ("F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C") == expected["order"]
    assert digest(array) == expected["sha256"]


@NAMES
@pytest.mark.parametrize("decoder", ["numpy", "numba"])
def test_numpy_and_numba_decode_the_same_bytes(name, decoder):
    if decoder == "numba":
        pytest.importorskip("numba")
    set_process(decoder=decoder)
    check(decode((FOLDER / name).read_bytes()), GOLDEN[name])


@NAMES
def test_torch_decodes_the_same_bytes(name, monkeypatch):
    torch = pytest.importorskip("torch")
    from tinc_codec.backends.torch import inference as inference_torch

    for device in ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]:
        monkeypatch.setattr(
            "tinc_codec.backends.choice.whole", lambda layout, place=device: inference_torch.decode(layout.model, place)
        )
        check(decode((FOLDER / name).read_bytes()), GOLDEN[name])


@NAMES
def test_the_decoder_written_from_the_format_document_decodes_the_same_bytes(name):
    shape, code, flags, samples = reference.decode((FOLDER / name).read_bytes())
    array = np.array(samples, code).reshape(shape)
    dtype = array.dtype.newbyteorder(">") if flags & 1 else array.dtype
    check(np.array(array, dtype, order="F" if flags & 2 else "C"), GOLDEN[name])


def test_nothing_is_missing():
    assert {file.name for file in FOLDER.glob("*.tinc")} == set(GOLDEN)
    for name in GOLDEN:
        assert inspect((FOLDER / name).read_bytes()).version == int(name[1])
