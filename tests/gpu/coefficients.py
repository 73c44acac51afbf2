"""Coefficients encoded on the device: what must be the same, goals that must be kept, and how fast, beside the host."""

import numpy as np
import torch

from tinc_codec.backends.choice import backend
from tinc_codec.backends.torch.detail import walker
from tinc_codec.backends.torch.detail.work import DeviceWork
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.encoding import Samples, attempt, transform
from tinc_codec.detail.goals import Budget, Error, encode
from tinc_codec.detail.plans import cost, usual
from tinc_codec.detail.section import four
from tinc_codec.detail.tables import DEFAULTS
from tinc_codec.phantom import light_sheet

from .setting import megabytes

_PATIENCE = 3.0
"""Seconds after which a section is not encoded again."""

NO_DELTAS = np.zeros(DEFAULTS.shape, np.int32)


def coefficients(setting, figures):
    """The same numbers of the same trial, then whole sections, by the host and by the device."""
    host, place = backend().detail, torch.device(setting.device)
    workers = {"host": host, "device": DeviceWork(place, host)}
    if setting.on_gpu:
        workers["device, kernels"] = DeviceWork(place, host, kernels=True)
    walker.proofs.clear()
    for edge, _ in setting.volumes:
        volume = light_sheet((edge,) * 3, seed=edge).astype(float)
        for name, device in list(workers.items())[1:]:
            _alike(volume, host, device, figures, f"{edge}^3, {name}")
        for goal in (Budget(200 + 2 * volume.size // 64), Error(float(volume.std()) / 8)):
            name = f"{edge}^3, {type(goal).__name__.lower()}"
            _section(setting, volume, goal, workers, figures, name)
    for proved in walker.proofs.values():
        assert proved, "kernels do not do what tensor operations do"


def _alike(volume, host, device, figures, name):
    """One transform, and one trial of it: all that differs may differ in the last bits of floats."""
    samples = Samples.of(volume.reshape(four(volume.shape)))
    plan = usual(samples.values.shape)
    one, other = (transform(samples, plan, work) for work in (host, device))
    differing = np.abs(one.on_host - other.on_host).max() / max(1.0, np.abs(one.on_host).max())
    assert differing < 1e-6, differing
    other.values = device.placed(one.on_host)
    step = float(np.abs(one.on_host).std()) / 2
    assert np.isclose(cost(one, step), cost(other, step), rtol=1e-3)
    trials = [attempt(each, step, PRESETS[0], NO_DELTAS) for each in (one, other)]
    numbers = [each.coefficients.work.on_host(each.numbers) for each in trials]
    off = float(np.mean(numbers[0] != numbers[1]))
    assert off < 1e-6, off  # a logarithm's last bit may tell two costs apart that are the same
    weights = [each.fitted_weights(2**16) for each in trials]
    figures[f"{name}: numbers that differ"] = off
    figures[f"{name}: weights that differ"] = int((weights[0] != weights[1]).sum())


def _section(setting, volume, goal, workers, figures, name):
    for place, by in workers.items():
        sections = []

        def work(by=by, sections=sections):
            sections.append(encode(volume, goal, by, effort=1))

        work()  # compiles
        seconds, runs = setting.seconds_within(work, _PATIENCE)
        detail = Detail.parse(sections[-1], volume.shape, workers["host"])
        scale = detail.parameters.scale
        error = np.ldexp(detail.whole().astype(float), scale.exponent) + scale.origin - volume
        rmse = float(np.sqrt(np.mean(error * error)))
        kept = len(sections[-1]) <= goal.size if isinstance(goal, Budget) else rmse <= goal.rms
        assert kept, (name, place, len(sections[-1]), rmse)
        rate = megabytes(2 * volume.size, seconds)  # as uint16
        figures[f"{name}, {place}"] = {
            "s": seconds,
            "runs": runs,
            "MB/s": rate,
            "bytes": len(sections[-1]),
            "error": rmse,
        }
