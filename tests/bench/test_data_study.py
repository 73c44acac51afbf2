import json

import numpy as np
import pytest

from tinc_codec.bench.comparison import Trial
from tinc_codec.bench.data import choose_crop, open_image
from tinc_codec.bench.data_study import Asked, machine, study
from tinc_codec.bench.peers import SZ3
from tinc_codec.errors import ConfigurationError
from tinc_codec.phantom import light_sheet


def test_a_study_is_a_document(tmp_path):
    np.save(tmp_path / "a.npy", light_sheet((12, 32, 40)))
    image = open_image(str(tmp_path / "a.npy"))
    seen = []
    done = study(image, choose_crop(image), Asked(ratios=(8,), noises=(2,), efforts=(1,), peers=(SZ3,)), seen.append)
    assert [*done.trials] == [result for result in seen if isinstance(result, Trial)]
    document = json.loads(json.dumps(done.as_json(), allow_nan=False))
    assert document["crop"] == "0:12,0:32,0:40"
    assert document["noise"] > 0
    assert [trial["codec"] for trial in document["trials"]] == [*("tinc, effort 1", "SZ3") * 2, "Blosc"]
    assert document["trials"][2]["goal"] == f"max_error {2 * document['noise']:.4g} (2 x noise)"
    assert document["trials"][2]["max_error"] <= 2 * document["noise"]
    assert len(document["spectrum"]) == len(document["frequencies"])
    (note,) = document["notes"]
    assert note.startswith("another exposure, with as much noise again, would have")
    assert document["another_exposure"]["blobs"]["f1"] <= 1


def test_labels_have_no_noise_to_take_multiples_of(tmp_path):
    np.save(tmp_path / "a.npy", np.tile(np.repeat([0, 7], 8), (16, 16, 1)).astype("u1"))
    image = open_image(str(tmp_path / "a.npy"))
    with pytest.raises(ConfigurationError, match="no noise was measured"):
        study(image, choose_crop(image), Asked(noises=(2,)), print)
    done = study(image, choose_crop(image), Asked(max_errors=(1,), efforts=(1,), peers=()), lambda _: None)
    assert any("no noise was measured" in note for note in done.notes)


def test_goals_are_checked_before_work_is_done():
    with pytest.raises(ConfigurationError, match=r"ratio=0\.5 must be above 1"):
        Asked(ratios=(0.5,)).goals(1.0)
    with pytest.raises(ConfigurationError, match="effort=12"):
        Asked(ratios=(5.0,), efforts=(12,)).goals(1.0)


def test_the_machine_is_named():
    assert "cores" in machine()
