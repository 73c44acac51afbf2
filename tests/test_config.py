import numpy as np
import pytest

from tinc_codec import Config, ConfigurationError, Process, process, set_process


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ratio": 1}, "ratio=1 must be above 1"),
        ({"ratio": "64"}, "ratio='64' is not a finite number"),
        ({"ratio": float("nan")}, "not a finite number"),
        ({"ratio": True}, "not a finite number"),
        ({"psnr": 0}, "psnr=0 must be above 0"),
        ({"psnr": "high"}, "psnr='high' is not a finite number"),
        ({"max_error": -1}, "max_error=-1 must not be negative"),
        ({"max_error": "2sigma"}, "max_error='2sigma' is not a number: give one in the data's units"),
        ({"max_error": float("inf")}, "not a finite number"),
        ({"ratio": 8, "psnr": 40}, "ratio=8.0 and psnr=40.0 are given: give one of ratio, psnr, max_error"),
        ({"psnr": 40, "max_error": 0}, "psnr=40.0 and max_error=0.0 are given"),
        ({"data_range": 255}, "data_range=255.0 has a meaning only beside psnr"),
        ({"psnr": 40, "data_range": 0}, "data_range=0 must be above 0"),
        ({"exact_values": "0"}, "exact_values='0' must be a number or a list of numbers"),
        ({"exact_values": [0, None]}, "None is not a number"),
        ({"levels": "many"}, "levels='many' is not known; known are 'auto'"),
        ({"levels": 0}, "from 1 to"),
        ({"levels": 2.0}, "from 1 to"),
        ({"inter_level": "evne"}, "inter_level='evne' is not known; known are 'auto', 'shallow', 'even', 'deep'"),
        ({"inter_level": (1, 0), "levels": 2}, "every level's share must be above 0"),
        ({"inter_level": (1, 2)}, "set levels to as many"),
        ({"inter_level": 3}, "a share for each level"),
        ({"intra_level": "var"}, "intra_level='var' is not known; known are 'auto', 'equal', 'variance', 'importance'"),
        ({"threshold": "high"}, "threshold='high'"),
        ({"constant_tolerance": 1}, "fraction of the range"),
        ({"effort": 10}, "from 1 to 9"),
        ({"effort": 5.0}, "from 1 to 9"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_wrong_settings_are_explained(settings, message):
    with pytest.raises(ConfigurationError, match=message.replace("(", r"\(")):
        Config(**settings)


def test_exactly_one_target_is_in_force():
    assert (Config().ratio, Config().psnr, Config().max_error) == (64, None, None)
    assert (Config(psnr=40).ratio, Config(psnr=40).psnr) == (None, 40)
    assert (Config(max_error=0).ratio, Config(max_error=0).max_error) == (None, 0)


def test_exact_values_are_numbers_without_repetition():
    assert Config(exact_values=0).exact_values == (0,)
    assert Config(exact_values=np.float32(0.5)).exact_values == (0.5,)
    assert Config(exact_values=[3, 3, float("nan"), 2**63]).exact_values == (3, 2**63)


def test_settings_survive_json():
    import json

    config = Config(
        ratio=100, levels=2, inter_level=(0.25, 0.75), intra_level="variance", threshold=7, effort=9, seed=3
    )
    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert hash(Config.from_json(config.to_json())) == hash(config)
    config = Config(psnr=40, data_range=255, exact_values=[0, 0.1, 2**64 - 1])
    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_keys_of_a_newer_version_do_not_break_reading():
    assert Config.from_json({"ratio": 32, "psnr": None, "id": "tinc"}) == Config(ratio=32)


def test_process_settings_come_from_the_environment_and_from_code(monkeypatch):
    assert process() == Process()
    monkeypatch.setenv("TINC_DEVICE", "cpu")
    monkeypatch.setenv("TINC_THREADS", "3")
    monkeypatch.setenv("TINC_JOBS", "2")
    monkeypatch.setenv("TINC_BATCH", "4096")
    assert process() == Process("cpu", 3, 2, 4096)
    set_process(threads=5)
    assert process() == Process("cpu", 5, 2, 4096)
    set_process()
    assert process().threads == 3


def test_wrong_process_settings_are_explained(monkeypatch):
    with pytest.raises(ConfigurationError, match="'thread' is not known; known are 'device', 'threads'"):
        set_process(thread=1)
    with pytest.raises(ConfigurationError, match="jobs=-1"):
        set_process(jobs=-1)
    monkeypatch.setenv("TINC_THREADS", "two")
    with pytest.raises(ConfigurationError, match="TINC_THREADS='two'"):
        process()


def test_settings_can_be_made_lossless():
    config = Config(psnr=40, data_range=9, exact_values=(0,), effort=7)
    assert config.losslessly() == Config(max_error=0, exact_values=(0,), effort=7)
