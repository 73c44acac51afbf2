"""What must be the same on the device as elsewhere; each function raises AssertionError where it is not."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import zarr

from tests.models import random_model, random_residual, random_stream
from tinc_codec import TINCCodec, decode, decode_batch, set_process
from tinc_codec.backends.torch import inference
from tinc_codec.backends.triton.decoding import FusedModel
from tinc_codec.encoding.fit import network
from tinc_codec.encoding.fit.under_coefficients import Recipe, _Trainer
from tinc_codec.hosts.zarr3 import zarr_kwargs
from tinc_codec.phantom import light_sheet
from tinc_codec.tree.inference import local_coordinates

from .problems import problems, root

DTYPES = ("u1", "<u2", ">u2", "i4", "u8", "i8", "f2", "<f4", ">f4", "f8")
SHAPES = ((256, 192), (40, 33, 37), (70000,), (12, 9, 20, 21))


def networks(dtypes, shapes):
    """Streams of networks alone, with and without residuals."""
    rng = np.random.default_rng(0)
    for dtype in dtypes:
        for shape in shapes:
            yield random_stream(rng, shape, dtype, widest=12)
        yield random_residual(rng, (20, 33), dtype, "C", 3, model=True, exact=True)[0]


def detail_and_both(edge):
    """Streams of coefficients alone, and of networks under them."""
    volume = light_sheet((edge,) * 3, seed=edge)
    for dtype in ("u2", "f4"):
        yield TINCCodec(ratio=20, effort=1).encode(volume.astype(dtype))
        yield TINCCodec(ratio=20, effort=1, network_share=0.3).encode(volume.astype(dtype))


def same_bytes(setting, figures):
    """Decoded on the device, by NumPy, and by numba."""
    edge = setting.volumes[0][0]
    set_process(device=setting.device)
    chosen = (DTYPES, SHAPES) if setting.on_gpu else (DTYPES[::4], [(12, 13)])
    streams = [*networks(*chosen), *detail_and_both(edge)]
    set_process()
    tensors = [tensor.cpu().numpy() for tensor in decode_batch(streams, setting.device)]
    for settings in ({"decoder": "numpy"}, {"decoder": "numba"}, {"device": setting.device}):
        set_process(**settings)
        for stream, tensor in zip(streams, tensors, strict=True):
            array = decode(stream)
            assert array.astype(array.dtype.newbyteorder("=")).tobytes(order="C") == tensor.tobytes(), settings
        set_process()
    figures["streams of the same bytes"] = len(streams)


def kernels(setting, figures):
    """The decoding kernel's sums, and the fused tree's values and gradients, against single layers on the device."""
    from tinc_codec.backends.triton.evaluation import fused_tree

    place, shape = torch.device(setting.device), (2 * setting.edge,) * 3
    rng = np.random.default_rng(1)
    for number in range(3 if setting.on_gpu else 1):
        model = random_model(rng, shape, "f4", widest=(5, 12, 30)[number], levels=2, empty=0.1)
        coordinates = torch.as_tensor(local_coordinates(model.tree.partition.leaf_shape), device=place)
        expected = inference._layer_by_layer(model, place)(coordinates)
        assert torch.equal(FusedModel(model, place)(coordinates), expected), model.tree.levels
        worst = _gradients(fused_tree, model.tree, place, setting.edge**3)
        figures[f"tree {number}: largest difference of a gradient, over the largest"] = worst
    for width in setting.widths:
        worst = _gradients(fused_tree, root(shape, width), place, setting.edge**3)
        figures[f"root of {width}: largest difference of a gradient, over the largest"] = worst


def _gradients(fused, tree, place, points):
    generator = torch.Generator().manual_seed(3)
    means = torch.zeros(len(tree.leaves))
    theta = torch.stack([network.initial(tree, means, generator) for _ in range(2)]).to(place)
    coordinates = torch.rand((2, len(tree.partition.shape), points), generator=generator).to(place) * 2 - 1
    found = []
    for evaluate in (network.LayeredTree(tree, network.index(tree, place, 2)), fused(tree, place)):
        leaf = theta.clone().requires_grad_()
        outputs = evaluate(leaf, coordinates)
        outputs.square().sum().backward()
        found.append((outputs.detach(), leaf.grad))
    (expected, gradient), (outputs, other) = found
    torch.testing.assert_close(outputs, expected, rtol=1e-4, atol=1e-5)
    worst = float((other - gradient).abs().max() / gradient.abs().max())
    assert worst < 1e-4, worst
    return worst


def training(setting, figures):
    """The same first steps in every mode: a graph replays what runs, a kernel gives what layers give."""
    found = {}
    for mode in setting.modes:
        set_process(training=mode)
        given = problems(setting.edge, setting.widths[0], setting.batch[-1] if setting.on_gpu else 1)
        recipe = Recipe(100, 100, voxels=2**12 if setting.on_gpu else 2**6)
        trainer = _Trainer(given, recipe, torch.device(setting.device))
        for step in range(12 if setting.on_gpu else 2):  # by squared error, which is smooth: roundings stay small
            trainer.step(step)
        found[mode] = trainer.theta.detach().cpu()
        set_process()
    for mode, theta in found.items():
        torch.testing.assert_close(theta, found["eager"], rtol=1e-3, atol=1e-4)
        figures[f"{mode}: largest difference of a weight"] = float((theta - found["eager"]).abs().max())


def through_zarr(setting, figures):
    """Chunks as cupy arrays, where cupy is there, are those that a CPU reads; else as NumPy arrays."""
    volume = light_sheet((setting.volumes[0][0],) * 3, seed=2)
    with tempfile.TemporaryDirectory() as folder:
        codec = TINCCodec(ratio=30, effort=1, network_share=0.3)
        place = f"{folder}/array.zarr"
        shape = {"shape": volume.shape, "chunks": volume.shape, "dtype": volume.dtype}
        array = zarr.create_array(place, **shape, **zarr_kwargs(codec))
        array[:] = volume
        on_cpu = zarr.open_array(place, mode="r")[:]
        if not (setting.on_gpu and find_spec("cupy")):
            figures["cupy"] = "not checked: it is not installed, or there is no GPU"
            set_process(device=setting.device)
            assert (zarr.open_array(place, mode="r")[:] == on_cpu).all()
            set_process()
            return
        import cupy

        with zarr.config.enable_gpu():
            found = zarr.open_array(place, mode="r")[:]
        assert isinstance(found, cupy.ndarray)
        assert (found.get() == on_cpu).all()
        figures["cupy"] = cupy.__version__


def command(setting, figures):
    """``tinc compress`` with workers that have the `GPU` resource, or on the CPU."""
    volume = light_sheet((setting.volumes[0][0],) * 3, seed=5)
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/raw.zarr", f"{folder}/small.zarr"
        chunks = tuple(-(-n // 2) for n in volume.shape)
        zarr.create_array(source, shape=volume.shape, dtype=volume.dtype, chunks=chunks)[:] = volume
        devices = "gpu" if setting.on_gpu else "cpu"
        words = ["--ratio", "20", "--effort", str(setting.efforts[-1]), "--devices", devices]
        run = [sys.executable, "-m", "tinc_codec.cli", "compress", source, target, *words]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        small = zarr.open_array(target, mode="r")[:]
        stored = sum(file.stat().st_size for file in Path(target).rglob("*") if file.is_file())
    error = float(np.sqrt(np.mean((small.astype(float) - volume) ** 2)))
    assert error < float(volume.std())
    figures["tinc compress, ratio"] = volume.nbytes / stored
    figures["tinc compress, devices"] = devices
