"""Settings that a later version stored: arrays open and read, and are not written."""

import copy
import json
import logging
import math
import pickle

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import Config, ConfigurationError, TINCCodec, TINCSerializer, zarr_kwargs
from tinc_codec.config import LaterConfig
from tinc_codec.parsing import MOST_EXACT_VALUES, shown

VALUES = np.arange(512, dtype="u2").reshape(8, 8, 8)
LATER = {
    "a key": {"future": 1},
    "another target": {"ssim": 0.98, "max_error": None},
    "a larger effort": {"effort": 12},
    "a name": {"inter_level": "learned"},
    "a name for a number": {"levels": "many"},
    "more levels": {"levels": 20},
    "NaN": {"ratio": math.nan, "max_error": None},
    "two targets": {"psnr": 40},
    "a kind of range": {"psnr": 40, "max_error": None, "data_range": "dtype"},
    "an object": {"threshold": {"otsu": 2}},
    "many exact values": {"exact_values": list(range(10**5))},
    "a huge number": {"seed": 10**30},
    "shares without levels": {"inter_level": [1, 2, 3]},
}
FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


def stored(path, zarr_format, change):
    """An array whose stored settings are changed."""
    array = zarr.create_array(
        path, data=VALUES, chunks=VALUES.shape, **zarr_kwargs(TINCCodec(max_error=0), zarr_format=zarr_format)
    )
    file = path / ("zarr.json" if zarr_format == 3 else ".zarray")
    document = json.loads(file.read_text())
    settings = document["codecs"][0]["configuration"] if zarr_format == 3 else document["compressor"]
    settings.update(change)
    file.write_text(json.dumps(document))
    return array


@pytest.mark.parametrize("name", LATER)
@FORMATS
def test_an_array_opens_with_a_warning_and_reads_and_is_not_written(tmp_path, caplog, zarr_format, name):
    stored(tmp_path / "a", zarr_format, LATER[name])
    with caplog.at_level(logging.WARNING, "tinc_codec"):
        array = zarr.open_array(tmp_path / "a", mode="r+")
        assert (array[:] == VALUES).all()
        assert (array[2, 3:5] == VALUES[2, 3:5]).all()
    assert "settings of a later tinc-codec: the array is read, but not written" in caplog.text
    before = {file: file.read_bytes() for file in (tmp_path / "a").rglob("*") if file.is_file()}
    with pytest.raises(ConfigurationError, match="cannot be written with the array's settings") as caught:
        array[:] = VALUES + 1
    assert len(str(caught.value)) < 1000
    assert before == {file: file.read_bytes() for file in (tmp_path / "a").rglob("*") if file.is_file()}


@FORMATS
def test_the_metadata_are_written_again_as_they_were(tmp_path, zarr_format):
    change = {"effort": 12, "future": {"a": [1, None]}}
    stored(tmp_path / "a", zarr_format, change)
    zarr.open_array(tmp_path / "a", mode="r+").attrs["note"] = "new"
    text = (tmp_path / "a" / ("zarr.json" if zarr_format == 3 else ".zarray")).read_text()
    document = json.loads(text)
    settings = document["codecs"][0]["configuration"] if zarr_format == 3 else document["compressor"]
    assert {key: settings[key] for key in change} == change
    assert settings["max_error"] == 0


def test_keys_that_say_nothing_do_not_stop_writing(tmp_path, caplog):
    stored(tmp_path / "a", 3, {"future": None})
    zarr.open_array(tmp_path / "a", mode="r+")[:] = VALUES + 1
    assert not caplog.text


@pytest.mark.parametrize("name", LATER)
def test_codecs_with_them_compare_and_pickle(name, caplog):
    settings = {"id": "tinc", "max_error": 0, **LATER[name]}
    codec = numcodecs.get_codec(settings)
    same = numcodecs.get_codec(json.loads(json.dumps(settings)))
    assert codec == same
    assert hash(codec) == hash(same)
    assert codec != TINCCodec(max_error=0)
    assert pickle.loads(pickle.dumps(codec)) == copy.deepcopy(codec) == codec
    assert json.dumps(codec.get_config(), sort_keys=True) == json.dumps(settings, sort_keys=True)
    assert repr(codec).startswith("TINCCodec.from_config({")
    serializer = TINCSerializer.from_dict({"name": "tinc_codec.tinc", "configuration": settings})
    assert TINCSerializer.from_dict(serializer.to_dict()) == serializer
    plain = TINCCodec(max_error=0).encode(VALUES)
    assert (codec.decode(plain) == VALUES).all()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.sampled_from(["auto", "even", "equal", "numpy", "64", ""])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = [*Config().to_json(), "future"]


@given(settings=st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4))
def test_any_settings_are_refused_or_work(settings):
    try:
        config = Config(**{key: value for key, value in settings.items() if key != "future"})
    except ConfigurationError:
        config = None
    if config is not None:
        assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config
    read = Config.from_json(settings)
    assert Config.from_json(read.to_json()) == read
    if isinstance(read, LaterConfig):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            TINCCodec.from_settings(read).encode(VALUES)


@pytest.mark.parametrize("junk", [[], "ratio", 5, True, None, [["ratio", 5]], 1.5])
def test_what_is_no_object_is_an_error(junk):
    with pytest.raises(ConfigurationError, match="where a JSON object should be"):
        Config.from_json(junk)
    if junk is not None:
        with pytest.raises(ConfigurationError, match="where a JSON object should be"):
            TINCSerializer.from_dict({"name": "tinc_codec.tinc", "configuration": junk})


def test_what_is_not_json_is_an_error():
    with pytest.raises(ConfigurationError, match="threshold="):
        Config.from_json({"threshold": object()})
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ConfigurationError, match="threshold="):
        Config.from_json({"threshold": deep})
    while deep:  # the interpreter takes lists apart by calling itself, too
        deep = deep[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exact_values": list(range(10**6))}, "exact_values has 1000000 numbers, where at most 1024"),
        ({"exact_values": [10**400]}, "beyond all samples"),
        ({"exact_values": [[1]]}, r"\[1\] is not a number"),
        ({"ratio": 10**5000}, "ratio=a number of thousands of digits is not a finite number"),
        ({"seed": 10**5000}, "seed=a number of thousands of digits must be an int"),
        ({"inter_level": [1.0] * 10**6, "levels": 2}, "has 1000000 shares: at most 16"),
        ({"inter_level": [10**400, 1], "levels": 2}, "is not a finite number"),
        ({"intra_level": ["equal"]}, "intra_level=.* is not known"),
        ({"levels": np.arange(3)}, "must be 'auto' or an int"),
        ({"intra_level": np.array(["equal", "auto"])}, "is not known"),
    ],
)
def test_large_and_strange_settings_are_refused_in_few_words(settings, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        Config(**settings)
    assert len(str(caught.value)) < 500


def test_as_many_exact_values_as_allowed_come_back():
    values = np.random.default_rng(0).integers(0, 4000, (40, 50)).astype("u2")
    exact = list(range(0, 2 * MOST_EXACT_VALUES, 2))
    decoded = TINCCodec(max_error=9, exact_values=exact).decode(
        TINCCodec(max_error=9, exact_values=exact).encode(values)
    )
    assert ((decoded == values) | ~np.isin(values, exact)).all()
    assert (np.isin(decoded, exact) == np.isin(values, exact)).all()


def test_values_are_shown_by_their_beginning():
    assert shown("x" * 10**6).startswith("'xxx")
    assert max(map(len, map(shown, ("x" * 10**6, list(range(10**6)), {n: n for n in range(99)}, 10**300)))) < 120
