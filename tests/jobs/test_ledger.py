from pathlib import Path

import pytest

from tinc_codec.errors import ConfigurationError, JobError
from tinc_codec.jobs.ledger import Ledger, Record, fingerprint


def record(key, **changed):
    values = {
        "array": "0",
        "key": key,
        "index": (0, 1),
        "fingerprint": "f",
        "digest": "d",
        "raw_bytes": 10,
        "stored_bytes": 2,
        "voxels": 5,
        "squares": 0.5,
        "max_error": 1.0,
        "low": 0.0,
        "high": None,
        "kinds": {"residual": 1},
        "seconds": 0.1,
        "memory": 7,
        "verified": True,
    }
    return Record(**{**values, **changed})


def test_what_is_entered_is_there_in_the_next_run(tmp_path):
    with Ledger(tmp_path / "x" / "ledger") as ledger:
        ledger.add(record("a"))
        ledger.add(record("b"))
        ledger.note("swap", 17)
        ledger.add(record("a", digest="e"))
    again = Ledger(tmp_path / "x" / "ledger")
    assert again.records() == {("0", "a"): record("a", digest="e"), ("0", "b"): record("b")}
    assert again.noted("swap") == 17
    assert again.noted("job") is None


def test_every_cut_of_the_file_is_a_shorter_ledger(tmp_path):
    path = tmp_path / "ledger"
    with Ledger(path) as ledger:
        for key in "abc":
            ledger.add(record(key))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with Ledger(path) as ledger:
            whole_lines = [key for _, key in ledger.records()]
            assert whole_lines == list("abc")[: len(whole_lines)]
            assert len(whole_lines) >= whole[:length].count(b"\n")
            ledger.add(record("z"))
        assert [key for _, key in Ledger(path).records()] == [*whole_lines, "z"]


def test_records_of_another_version_do_not_count(tmp_path):
    path = tmp_path / "ledger"
    path.write_text('{"chunk": {"array": "0", "key": "a", "index": [0]}}\n{"chunk": 3}\n[1]\n')
    with pytest.raises(ConfigurationError, match="not open"):
        Ledger(path).add(record("a"))
    assert Ledger(path).records() == {}


def test_the_fingerprint_tells_settings_apart():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert fingerprint("x", "y") != fingerprint("xy")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said():
    with pytest.raises(JobError, match="No space left on device"), Ledger(Path("/dev/full")) as ledger:
        ledger.add(record("a"))
