"""Every backend has what the protocol names, called as it says, and gives the same."""

import inspect
from importlib import import_module

import numpy as np
import pytest

from tests.models import random_residual, random_stream
from tinc_codec.backends.choice import BACKENDS
from tinc_codec.backends.protocol import Backend, TileDecoder
from tinc_codec.residual.section import unpack as unpack_residual
from tinc_codec.stream.container import Section, unpack

RNG = np.random.default_rng(0)


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    return import_module(BACKENDS[request.param])


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def methods(protocol):
    return {name: method for name, method in vars(protocol).items() if inspect.isfunction(method) and name[0] != "_"}


def test_each_takes_what_the_protocol_says(backend):
    for name, method in methods(Backend).items():
        assert parameters(getattr(backend, name)) == parameters(method), name
    assert backend.detail is not None
    assert {*methods(Backend), "detail", "training"} == set(backend.__all__)


def test_tile_decoders_are_as_the_protocol_says(backend):
    stream, _ = random_residual(RNG, (9, 10), "u2", "C", 3, model=False)
    container = unpack(stream)
    residual, codes = unpack_residual(container.section(Section.RESIDUAL), (9, 10), np.dtype("u2"))
    decoder = backend.tile_decoder(residual)
    for name, method in methods(TileDecoder).items():
        assert parameters(getattr(decoder, name)) == parameters(method), name
    base = np.full((9, 10), float(residual.start))
    whole = decoder.decode(codes[0], base, None)
    assert (whole.shape, whole.dtype) == ((9, 10), np.float64)
    assert (decoder.decode(codes[0], base, None, 1) == whole[::2, ::2]).all()
    assert decoder.nbytes >= 0


def test_products_and_points_are_the_same(backend):
    container = unpack(random_stream(np.random.default_rng(5), (17, 20), "u2"))
    layout = backend.unpack_model(container, (17, 20))
    whole = backend.at_product(layout, [np.arange(17), np.arange(20)])
    assert (whole.shape, whole.dtype) == ((17, 20), np.uint16)
    points = np.array([[0, 16, 3], [19, 0, 3]])
    assert (backend.at_points(layout, points) == whole[tuple(points)]).all()
