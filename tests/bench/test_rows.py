import json
import math
import time

import numpy as np
import pytest

from tinc_codec.bench.rows import row


def measured(decoded):
    volume = np.arange(1000.0).reshape(10, 10, 10)

    def run():
        time.sleep(0.02)
        return 500, decoded(volume), 0.01

    return row("a crop", "a codec", "a setting", volume, run)


def test_what_is_measured():
    got = measured(lambda volume: volume + 9.99)
    assert got.psnr == pytest.approx(20 * math.log10(999 / 9.99))
    assert got.max_error == pytest.approx(9.99)
    assert got.ratio == 16
    assert got.encode_seconds == 0.01
    assert got.decode_seconds > 0
    for word in ("a crop", "a codec", "500", "16.0x", "40.00 dB", "a setting"):
        assert word in got.line


def test_infinity_is_null_in_json():
    got = measured(lambda volume: volume)
    assert got.psnr == math.inf
    assert json.loads(json.dumps(got.as_json(), allow_nan=False))["psnr"] is None
