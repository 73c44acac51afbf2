"""Stored settings by atheris: ``python -m tests.fuzz.config_target CORPUS -max_total_time=3600``.

atheris is none of the suite's dependencies: ``pip install atheris``. The corpus is any folder, an empty one, too.
"""

import json
import logging
import sys

import atheris
import numpy as np

with atheris.instrument_imports(include=["tinc_codec"]):
    from tinc_codec import Config, ConfigurationError, TINCCodec, TINCSerializer
    from tinc_codec.config import LaterConfig

VALUES = np.zeros((2, 2), "u1")
KEYS = [*Config().to_json(), "future", "id"]


def one_input(data: bytes) -> None:
    """Any JSON, and JSON of the right keys with any values: read, and either written with or refused."""
    provider = atheris.FuzzedDataProvider(data)
    if provider.ConsumeBool():
        settings = _parsed(provider.ConsumeUnicodeNoSurrogates(200))
    else:
        chosen = [provider.PickValueInList(KEYS) for _ in range(provider.ConsumeIntInRange(0, 5))]
        settings = {key: _parsed(provider.ConsumeUnicodeNoSurrogates(30)) for key in chosen}
    try:
        config = Config.from_json(settings)
    except ConfigurationError:
        assert not isinstance(settings, dict)
        return
    again = TINCSerializer.from_dict({"name": "tinc_codec.tinc", "configuration": config.to_json()})
    assert again.config == config
    assert hash(again.config) == hash(config)
    codec = TINCCodec.from_config({"id": "tinc", **config.to_json()})
    assert codec.config == config
    assert repr(codec)
    try:
        codec.encode(VALUES)
    except ConfigurationError:
        assert isinstance(config, LaterConfig)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


if __name__ == "__main__":
    logging.disable()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
