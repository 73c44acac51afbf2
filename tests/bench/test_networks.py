import json

import numpy as np
import pytest

from tinc_codec.bench import networks
from tinc_codec.phantom import light_sheet


def test_every_volume_at_each_ratio_with_what_networks_bring(monkeypatch):
    monkeypatch.setattr(networks, "VOLUMES", ("one", "other"))
    monkeypatch.setattr(networks, "RATIOS", (20.0, 40.0))
    monkeypatch.setattr(networks, "crop", lambda name: light_sheet((16, 24, 20), seed=len(name)))
    rows = list(networks.gains(3))
    assert [(row.crop, row.ratio) for row in rows] == [("one", 20), ("one", 40), ("other", 20), ("other", 40)]
    for row in rows:  # coefficients alone against themselves
        assert (row.gain, row.share) == (0, 0)
        assert np.isfinite(row.psnr)
        assert row.seconds > 0


def test_what_a_row_says():
    row = networks.Gain("a crop", 64.0, 5, 40.0, 41.25, 0.064, 3.5)
    for word in ("a crop", "64x", "effort 5", "40.00 dB", "+1.25 dB", "6.4%", "3.5 s"):
        assert word in row.line
    assert json.loads(json.dumps(row.as_json()))["share"] == pytest.approx(0.064)
