"""The one place that decides how training is run: by fused kernels, compiled for a CPU, as a CUDA graph, or not."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor as Array

from tinc_codec.backends.choice import backend
from tinc_codec.backends.protocol import TrainingWork
from tinc_codec.encoding.fit.network import Index, LayeredTree
from tinc_codec.encoding.fit.packet import Packet
from tinc_codec.encoding.fit.pricing import BandByBand, Compiled, Pricing
from tinc_codec.encoding.fit.quantised import InOne, InOperations, Quantiser
from tinc_codec.encoding.fit.step import EagerStep, GraphStep, Step
from tinc_codec.errors import ConfigurationError
from tinc_codec.runtime.settings import process
from tinc_codec.tree.structure import Tree

log = logging.getLogger("tinc_codec")

Evaluator = Callable[[Array, Array], Array]
"""Gives outputs ``(chunks, leaves, points)`` of ``(chunks, parameters)`` at ``(chunks, axes, points)``."""


@dataclass(frozen=True)
class Execution:
    """How training is run.

    Parameters
    ----------
    fused
        Whether a kernel evaluates a node's layers together.
    graph
        Whether a step is one CUDA graph.
    reason
        Why it is not fused; empty where it is.
    """

    fused: bool
    graph: bool
    reason: str = ""


def interpreted() -> bool:
    """Whether Triton runs its kernels on the CPU, slowly, for tests."""
    return os.environ.get("TRITON_INTERPRET", "0") in ("1", "true", "on")


def execution(tree: Tree, device: torch.device, training: str) -> Execution:
    """Decide for a tree on a device.

    Parameters
    ----------
    training
        The process's setting of that name.

    Raises
    ------
    ConfigurationError
        The device cannot do what the setting asks for.
    """
    gpu = device.type == "cuda"
    if training == "graph" and not gpu:
        raise ConfigurationError(f"training='graph' needs a CUDA device, not {str(device)!r}: choose 'auto' or 'eager'")
    why = _refused_by_device(gpu)
    if training == "fused" and why:
        raise ConfigurationError(f"training='fused' is not possible: {why}; choose 'auto', 'eager' or 'graph'")
    if training in ("eager", "graph"):
        why = f"the process asks for training={training!r}"
    elif training == "auto" and not gpu:
        why = why or "a CPU runs kernels in Triton's interpreter only"
    why = why or _refused_by_kernels(tree)
    return Execution(why is None, gpu and training != "eager", why or "")


def _refused_by_device(gpu: bool) -> str | None:
    if not (gpu or interpreted()):
        return "kernels need a CUDA device"
    return "Triton is not installed" if find_spec("triton") is None else None


def _refused_by_kernels(tree: Tree) -> str | None:
    from tinc_codec.backends.triton.limits import refusal

    return refusal(tree)


def evaluator(tree: Tree, index: Index) -> Evaluator:
    """What evaluates a tree in training on the device where `index` lies."""
    device = index.kinds.device
    chosen, by = execution(tree, device, process().training), _by_chains(tree, device)
    if chosen.fused:
        from tinc_codec.backends.triton.evaluation import fused_tree

        log.debug("training on %s evaluates by a fused kernel", device)
        return fused_tree(tree, device)
    if by is not None:
        from tinc_codec.backends.torch.compiled import compiled_tree

        log.debug("training on %s evaluates by compiled chains", device)
        return compiled_tree(tree, by)
    log.debug("training on %s evaluates layer by layer: %s", device, chosen.reason)
    return LayeredTree(tree, index)


def _compiled(device: torch.device) -> TrainingWork | None:
    """Who trains on a CPU beside torch; None: nobody does there, or is to."""
    return backend().training if device.type == "cpu" and process().training == "auto" else None


def _by_chains(tree: Tree, device: torch.device) -> TrainingWork | None:
    """Who evaluates a tree's chains on a CPU; None: nobody does."""
    by = _compiled(device)
    return None if by is None or by.refusal(tree) is not None else by


def pricing(packet: Packet, inverses: NDArray[np.float32], device: torch.device) -> Pricing:
    """What says what coefficients cost; see `BandByBand`. On a CPU it is compiled, where decoders are."""
    by = _compiled(device)
    return BandByBand(packet, inverses, device) if by is None else Compiled(by, packet.plan, inverses)


def quantiser(index: Index) -> Quantiser:
    """What quantises weights in training on the device where `index` lies; see `Quantiser`."""
    by = _compiled(index.kinds.device)
    return InOperations(index) if by is None else InOne(by, index)


def threads(tree: Tree, device: torch.device, wanted: int) -> int:
    """Threads for torch's own operations in training: one where compiled ones have those that are wanted.

    Threads of both would wait for each other's cores.
    """
    return wanted if _by_chains(tree, device) is None else 1


def runner(
    tree: Tree, work: Callable[[Any], None], generators: Sequence[torch.Generator], device: torch.device
) -> Step:
    """What runs the steps of a training of a tree on a device; see `GraphStep` for what `work` must keep to."""
    if execution(tree, device, process().training).graph:
        log.debug("training on %s runs each step as one CUDA graph", device)
        return GraphStep(work, generators)
    return EagerStep(work)
