"""How fast: steps of training, and MB/s of raw data, encoding and decoding, with what the device could do beside."""

from concurrent.futures import ThreadPoolExecutor

import torch

from tinc_codec import TINCCodec, decode, decode_batch, set_process
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.predictors.detail import DetailPredictor
from tinc_codec.encoding.coefficients import COEFFICIENTS_ALONE
from tinc_codec.encoding.fit import trainer
from tinc_codec.encoding.fit.device import prepared
from tinc_codec.encoding.fit.under_coefficients import Recipe, _Trainer
from tinc_codec.phantom import light_sheet

from .problems import problems, samples_problems
from .setting import Peaks, decoding_counts, megabytes, step_counts

_PATIENCE = 12.0
"""Seconds after which an encoding is not run again."""


def peaks(setting, figures):
    """What the device does at most, as it is seen here."""
    found = Peaks.of(setting)
    figures["copies, GB/s"] = found.bandwidth / 1e9
    figures["float32 products, Tflop/s"] = found.arithmetic / 1e12
    return found


def steps(setting, figures):
    """A step of training, on windows under coefficients and on samples alone, in every mode."""
    most = peaks(setting, figures)
    for width in setting.widths:
        for batch in setting.batch:
            given = problems(setting.edge, width, batch)
            for mode in setting.modes:
                figures[f"width {width}, {batch} chunks, {mode}"] = _step(setting, given, mode, most)

    for batch in setting.batch:  # of trainings that fit samples
        given = samples_problems(setting.edge, setting.widths[-1], batch)
        for mode in setting.modes:
            figures[f"samples, width {setting.widths[-1]}, {batch} chunks, {mode}"] = _samples_step(
                setting, given, mode
            )


def _step(setting, given, mode, most):
    tree, voxels = given[0].tree, given[0].windows.voxels
    begin = [500]

    def step(trainer):
        trainer.step(begin[0])
        begin[0] += 1

    seconds = _seconds_of_a_step(setting, mode, lambda place: _Trainer(given, Recipe(0, 1000), place), step)
    traffic, operations = (len(given) * each for each in step_counts(tree, voxels, voxels, mode == "fused"))
    return {"s": seconds, "voxels/s": len(given) * voxels / seconds, **most.seconds(traffic, operations)}


def _samples_step(setting, given, mode):
    points = setting.edge**3
    recipe = trainer.Recipe(1000, points, 1e-2)
    seconds = _seconds_of_a_step(
        setting, mode, lambda place: trainer.Trainer(given, recipe, place, 0), lambda each: each.step(0.5, 0.5, False)
    )
    return {"s": seconds, "voxels/s": len(given) * points / seconds}


def _seconds_of_a_step(setting, mode, begin, step):
    """Seconds of a step of a training that is begun on the device in a mode."""
    place, steps = torch.device(setting.device), 10 if setting.on_gpu else 1
    set_process(training=mode)
    with prepared(place, 1):
        training = begin(place)
        seconds = setting.seconds(lambda: [step(training) for _ in range(steps)]) / steps
    set_process()
    return seconds


def throughput(setting, figures):
    """Encoding of chunks that come at the same time, and decoding of them as one batch."""
    most = peaks(setting, figures)
    for edge, count in setting.volumes:
        volumes = [light_sheet((edge,) * 3, seed=seed) for seed in range(count)]
        for effort in setting.efforts:
            name = f"{edge}^3 x {count}, effort {effort}"
            modes = setting.encoded_by if effort > COEFFICIENTS_ALONE else setting.encoded_by[:1]
            for mode in modes:
                streams = _encoded(setting, figures, f"{name}, {mode}", volumes, effort, mode)
            _decoded(setting, figures, name, volumes, streams, most)


def _encoded(setting, figures, name, volumes, effort, mode):
    codec, streams = TINCCodec(ratio=64, effort=effort), []
    set_process(device=setting.device, training=mode)

    def work():
        with ThreadPoolExecutor(min(len(volumes), 64)) as pool:
            streams[:] = pool.map(codec.encode, volumes)

    codec.encode(volumes[0][: len(volumes[0]) // 2])  # compiles
    seconds, runs = setting.seconds_within(work, _PATIENCE)
    set_process()
    raw = sum(each.nbytes for each in volumes)
    figures[f"{name}: encoding"] = {"s": seconds, "runs": runs, "MB/s": megabytes(raw, seconds)}
    return list(streams)


def _decoded(setting, figures, name, volumes, streams, most):
    raw = sum(each.nbytes for each in volumes)
    set_process(device="cpu")
    by_host = setting.seconds(lambda: [decode(stream) for stream in streams])
    set_process()
    on_device = setting.seconds(lambda: decode_batch(streams, setting.device))
    pairs = zip(volumes, streams, strict=True)
    counts = [decoding_counts(each.size, each.itemsize, _products(stream)) for each, stream in pairs]
    bounds = most.seconds(*(sum(each) for each in zip(*counts, strict=True)))
    figures[f"{name}: decode_batch"] = {"s": on_device, "MB/s": megabytes(raw, on_device), **bounds}
    figures[f"{name}: on the host"] = {"s": by_host, "MB/s": megabytes(raw, by_host)}


def _products(stream):
    """Multiply-adds of a stream's networks."""
    predictor = Chunk.of(stream).predictor
    above = predictor.above if isinstance(predictor, DetailPredictor) else predictor
    return 0 if above is None else above.model.tree.products
