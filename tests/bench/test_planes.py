import numpy as np
import pytest

from tinc_codec import metrics
from tinc_codec.bench.peers import Search, UnsuitableError
from tinc_codec.bench.planes import JPEG2000, JPEGXL, as_planes, from_unit, to_unit

VOLUME = (300 + 90 * np.sin(np.indices((3, 40, 36)).sum(0) / 5)).astype("f4")


@pytest.mark.parametrize("peer", [JPEG2000, JPEGXL], ids=lambda peer: peer.name)
@pytest.mark.parametrize(
    "volume", [VOLUME, VOLUME[0], np.rint(VOLUME).astype("i2")], ids=["volume", "image", "integers"]
)
def test_images_of_planes(peer, volume):
    level = Search(peer, volume).finest_within(volume.size / 2)
    encoded = peer.encode(volume, level)
    decoded = peer.decode(encoded.data, volume)
    assert encoded.size <= volume.size / 2
    assert (decoded.dtype, decoded.shape) == (volume.dtype, volume.shape)
    assert metrics.psnr(volume, decoded, float(np.ptp(volume))) > 25


def test_samples_over_their_range():
    unit = to_unit(VOLUME)
    assert (unit.min(), unit.max()) == (0, 1)
    assert from_unit(unit, VOLUME) == pytest.approx(VOLUME)
    assert (to_unit(np.full((2, 2), 9)) == 0).all()
    assert as_planes(np.zeros((2, 3, 4, 5))).shape == (6, 4, 5)
    with pytest.raises(UnsuitableError, match="one axis"):
        as_planes(np.zeros(9))
