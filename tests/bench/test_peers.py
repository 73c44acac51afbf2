import sys
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.bench.peers import (
    SPERR,
    SZ3,
    VOLUMETRIC,
    ZFP,
    Encoded,
    Search,
    as_floats,
    as_stored,
    at_error,
    at_ratio,
)
from tinc_codec.errors import MissingDependencyError

VOLUME = np.rint(200 + 90 * np.sin(np.indices((12, 20, 24)).sum(0) / 5)).astype("u2")


@dataclass(frozen=True)
class Steps:
    """A peer whose bytes fall with its level."""

    name: str = "steps"
    finest: float = 1
    coarsest: float = 60
    whole: bool = True
    tried: list = field(default_factory=list)

    def encode(self, volume, level):
        self.tried.append(level)
        return Encoded(round(10_000 / level), None)


@given(st.floats(1, 20_000), st.booleans())
def test_the_finest_level_within_a_budget_is_found(budget, whole):
    peer = Steps(whole=whole)
    level = Search(peer, VOLUME).finest_within(budget)
    if budget < round(10_000 / peer.coarsest):
        assert level is None
        return
    assert round(10_000 / level) <= budget
    if whole:
        assert level == int(level)
        assert level == 1 or round(10_000 / (level - 1)) > budget or round(10_000 / level) >= 0.998 * budget
    else:
        assert level == pytest.approx(max(1, 10_000 / budget), rel=0.05, abs=0.02)


def test_a_second_budget_needs_fewer_trials():
    peer = Steps(whole=False)
    search = Search(peer, VOLUME)
    search.finest_within(1000)
    first = len(peer.tried)
    search.finest_within(990)
    assert len(peer.tried) - first < first / 2
    assert search.finest_within(1000) == search.finest_within(1000)
    assert len(set(peer.tried)) == len(peer.tried)


@pytest.mark.parametrize("peer", VOLUMETRIC, ids=lambda peer: peer.name)
@pytest.mark.parametrize("dtype", ["u2", "f4", "f8", "i4"])
def test_peers_give_back_dtype_shape_and_more_for_more_bytes(peer, dtype):
    volume = VOLUME.astype(dtype)
    errors = []
    for level in (-9, -4):
        encoded = peer.encode(volume, level)
        decoded = peer.decode(encoded.data, volume)
        assert (decoded.dtype, decoded.shape) == (volume.dtype, volume.shape)
        errors.append((encoded.size, float(np.abs(decoded.astype("f8") - volume).max())))
    assert errors[0][0] > errors[1][0]
    assert errors[0][1] < errors[1][1] or errors[1][1] == 0


def test_integers_are_rounded_and_stay_within_their_limits():
    like = np.zeros(4, "u1")
    assert as_stored(np.array([-3.0, 0.6, 254.4, 300.0]), like).tolist() == [0, 1, 254, 255]
    assert as_stored(np.array([1.25]), np.zeros(1, "f4")).tolist() == [1.25]
    assert (as_floats(VOLUME).dtype, as_floats(VOLUME.astype("i4")).dtype) == ("f4", "f8")


def test_rows_at_a_ratio_and_at_an_error():
    for row in at_ratio("it", VOLUME, 8, (SPERR, SZ3)):
        assert row.ratio >= 8
        assert row.crop == "it"
    rows = {row.codec: row for row in at_error("it", VOLUME, 3.0)}
    assert set(rows) == {"SPERR", "SZ3", "zfp"}
    assert rows["SZ3"].max_error <= 3
    assert rows["zfp"].max_error <= 3


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(MissingDependencyError, match=r"needs imagecodecs: pip install 'tinc-codec\[bench\]'"):
        ZFP.encode(VOLUME, -5)
