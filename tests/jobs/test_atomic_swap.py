"""Two directories trade places in one step."""

import os

import pytest

from tinc_codec.jobs.atomic_swap import can_exchange, exchange


@pytest.mark.skipif(os.name == "nt", reason="no exchange of directories on this system")
def test_two_directories_trade_places(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"was-{name}").touch()
    assert can_exchange(tmp_path) is None
    exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "was-b").exists()
    assert (tmp_path / "b" / "was-a").exists()
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "a", tmp_path / "missing")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
