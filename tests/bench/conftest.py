import pytest

from tests.bench.test_objects import CENTRES, blobs
from tests.bench.trials import a_trial
from tinc_codec.bench.comparison import LOSSLESS, LeftOut
from tinc_codec.bench.data import Image
from tinc_codec.bench.data_study import DataStudy
from tinc_codec.bench.fidelity import Reference
from tinc_codec.jobs.sources import ArrayReader


@pytest.fixture(scope="session")
def study():
    """Two goals, tinc at two efforts among three peers, and one that is lossless."""
    reference = Reference.of(blobs(CENTRES), 5.0)
    trials = []
    for number, goal in enumerate(("ratio 16", "ratio 64")):
        for codec, error in (("tinc, effort 1", 4), ("tinc, effort 3", 3), ("AV1", 5), ("SPERR", 8), ("zfp", 20)):
            trials.append(a_trial(reference, goal, codec, 12_000 // 4**number, error * 2**number))
    trials.append(a_trial(reference, LOSSLESS, "Blosc", 90_000, 0))
    image = Image("a <b>.zarr", ArrayReader(reference.volume))
    crop = tuple(slice(0, n) for n in reference.volume.shape)
    left = LeftOut("ratio 64", "SZ3", "its coarsest is too <large>")
    return DataStudy(image, crop, 3, reference, trials[0].fidelity, tuple(trials), (left,))
