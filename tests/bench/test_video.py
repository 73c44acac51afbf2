import sys

import numpy as np
import pytest

from tinc_codec import metrics
from tinc_codec.bench.peers import UnsuitableError
from tinc_codec.bench.video import AV1, HEVC, VIDEOS
from tinc_codec.errors import MissingDependencyError

VOLUME = np.rint(300 + 90 * np.sin(np.indices((3, 66, 70)).sum(0) / 9)).astype("u2")


@pytest.mark.parametrize("peer", VIDEOS, ids=lambda peer: peer.name)
def test_films_of_odd_sizes(peer):
    sizes = []
    for level in (40, 160):
        encoded = peer.encode(VOLUME, level)
        decoded = peer.decode(encoded.data, VOLUME)
        assert (decoded.dtype, decoded.shape) == (VOLUME.dtype, VOLUME.shape)
        assert metrics.psnr(VOLUME, decoded, float(np.ptp(VOLUME))) > 20
        sizes.append(encoded.size)
    assert sizes[0] > sizes[1]


def test_the_factor_has_steps_of_a_quarter():
    assert HEVC.encode(VOLUME, 81).size != HEVC.encode(VOLUME, 84).size


def test_what_is_no_film_and_a_library_that_is_missing_are_said(monkeypatch):
    with pytest.raises(UnsuitableError, match="one axis"):
        AV1.encode(np.zeros(50), 100)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"needs PyAV: pip install 'tinc-codec\[bench\]'"):
        AV1.encode(VOLUME, 100)
