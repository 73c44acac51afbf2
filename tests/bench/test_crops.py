import numpy as np
import pytest

from tinc_codec.bench import crops
from tinc_codec.errors import ConfigurationError


def test_volumes_are_looked_for_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TINC_DATA", str(tmp_path))
    volume = np.arange(64**3, dtype="u2").reshape(64, 64, 64)
    np.save(tmp_path / "brain64.npy", volume)
    assert (crops.crop("brain64") == volume).all()


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match="known are brain64"):
        crops.crop("moon")
    monkeypatch.setenv("TINC_DATA", str(tmp_path / "nowhere"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="neither in TINC_DATA"):
        crops.crop("cells")


def test_crops_are_of_what_they_say():
    for name, (file, box) in crops.CROPS.items():
        assert name.startswith(file.removesuffix("64")), name
        assert len(box) == 3
    assert set(crops.BENCHMARK) <= set(crops.CROPS)
