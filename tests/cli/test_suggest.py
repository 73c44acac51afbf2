import json

import numpy as np
from typer.testing import CliRunner

from tinc_codec.cli.main import app
from tinc_codec.phantom import light_sheet


def tinc(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_what_to_set_is_said_and_can_be_typed(tmp_path):
    np.save(tmp_path / "a.npy", light_sheet((12, 40, 48)))
    result = tinc("suggest", tmp_path / "a.npy")
    assert result.exit_code == 0, result.output
    for word in ("noise", "ratio 64", "x noise", "lossless", "F1", "write/GB", "for previews: --ratio 64"):
        assert word in result.stdout, word
    document = json.loads(tinc("suggest", tmp_path / "a.npy", "--json").stdout)
    chosen = document["recommended"]
    assert f"for your only copy: --max-error {chosen['value']:g}: {chosen['reason']}" in result.stdout


def test_labels_stay_exact(tmp_path):
    np.save(tmp_path / "a.npy", (light_sheet((12, 40, 48)) > 300).astype("u1"))
    result = tinc("suggest", tmp_path / "a.npy")
    assert "for your only copy: --max-error 0: this array should stay exact: 2 distinct values" in result.stdout
