"""What a backend does. Every one gives the same bytes: the reference in NumPy says which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.plan import Plan
from tinc_codec.detail.work import Work
from tinc_codec.residual.classified import Classified
from tinc_codec.residual.equations import Equations, Voxels
from tinc_codec.residual.interlace import Offset
from tinc_codec.residual.lattice import Coded, PassCoding
from tinc_codec.residual.lattices import Lattices, Members, Surroundings
from tinc_codec.residual.prediction import PassModel
from tinc_codec.residual.section import ResidualParameters
from tinc_codec.stream.container import Container
from tinc_codec.tree.chains import Chain
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.root_activations import RootActivations
from tinc_codec.tree.runs import Positions
from tinc_codec.tree.structure import Tree


class TileDecoder(Protocol):
    """Decodes the tiles of one chunk's residual."""

    @property
    def nbytes(self) -> int:
        """Memory in bytes of what it keeps beside the chunk's parameters."""

    def decode(
        self, code: bytes, base: NDArray[np.float64], mask: NDArray[np.bool_] | None, level: int = 0
    ) -> NDArray[np.float64]:
        """Integers of one tile; see `tinc_codec.residual.tiles.decode_tile`."""


class TrainingWork(Protocol):
    """Who works on a step of training; a module with these functions."""

    def rate(
        self, windows: NDArray[np.float32], plan: Plan, inverses: Sequence[float], most: float
    ) -> tuple[float, NDArray[np.float32]]:
        """Bits of windows with their gradient; see `tinc_codec.backends.numba.detail.rate.rate`."""

    def quantised(
        self,
        theta: NDArray[np.float32],
        steps: NDArray[np.float32],
        kinds: NDArray[np.int64],
        noise: NDArray[np.float32] | None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Weights, their bits, and slopes; see `tinc_codec.backends.numba.quantised_weights.quantised`."""

    def gradients(
        self,
        theta: NDArray[np.float32],
        steps: NDArray[np.float32],
        kinds: NDArray[np.int64],
        weights: NDArray[np.float32],
        slopes: NDArray[np.float32],
        of_weights: NDArray[np.float32],
        of_bits: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """By parameters and steps; see `tinc_codec.backends.numba.quantised_weights.gradients`."""

    def refusal(self, tree: Tree) -> str | None:
        """Why a tree's chains are not evaluated; None: they are."""

    def forward(self, chain: Chain, theta: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
        """Fill a chain's part of its target slot; see `tinc_codec.backends.numba.sine_chain.forward`."""

    def backward(
        self,
        chain: Chain,
        theta: NDArray[np.float32],
        x: NDArray[np.float32],
        dy: NDArray[np.float32],
        dx: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        """Gradients of a chain's own parameters; see `tinc_codec.backends.numba.sine_chain.backward`."""


class Backend(Protocol):
    """Who works on chunks on a CPU: a module with these functions, listed in `tinc_codec.backends.choice`."""

    @property
    def detail(self) -> Work:
        """Who works on coefficients."""

    @property
    def training(self) -> TrainingWork | None:
        """Who works on steps of training; None: torch's own operations alone do."""

    def unpack_model(self, container: Container, shape: tuple[int, ...]) -> NodeLayout:
        """Read the sine tree of a chunk whose folded shape is `shape`, and check that it can be evaluated exactly.

        Raises
        ------
        CorruptStreamError
            A section makes no sense.
        """

    def at_product(
        self, layout: NodeLayout, positions: Sequence[Positions], root: RootActivations | None = None
    ) -> NDArray[Any]:
        """Samples at the product of positions along each axis, in voxels; dtype of the model.

        `root` has the root's activations of earlier reads, and gets what this one adds, where a backend keeps them.
        """

    def at_points(self, layout: NodeLayout, positions: Positions) -> NDArray[Any]:
        """Samples at single positions, ``(axes, points)``, in voxels; dtype of the model."""

    def tile_decoder(self, parameters: ResidualParameters) -> TileDecoder:
        """For the tiles of a residual with these parameters."""

    def code_pass(self, coding: PassCoding, lattices: Lattices, members: Members) -> Coded:
        """Predict, quantise and enter the voxels of a pass; see `tinc_codec.residual.lattices.code_pass`."""

    def take(self, lattices: Lattices, coarser: Lattices) -> None:
        """Enter what is known of the level before; see `tinc_codec.residual.lattices.take`."""

    def places(self, lattices: Lattices, members: Members, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Where voxels of a pass lie; see `tinc_codec.residual.lattices.places`."""

    def surroundings(self, lattices: Lattices, places: NDArray[np.intp], pairs: tuple[Offset, ...]) -> Surroundings:
        """Gather what lies around voxels; see `tinc_codec.residual.lattices.surroundings`."""

    def of_prediction(self, voxels: Voxels, doubt: float) -> Equations:
        """Equations of a prediction; see `tinc_codec.residual.equations.of_prediction`."""

    def of_spread(self, voxels: Voxels, model: PassModel, top: float, doubt: float) -> Equations:
        """Equations of the error to expect of it; see `tinc_codec.residual.equations.of_spread`."""

    def classified(
        self, expected: NDArray[np.float64], steps: NDArray[np.int64], thresholds: NDArray[np.int64]
    ) -> Classified:
        """Contexts, tokens and extra bits of voxels; see `tinc_codec.residual.classified.classified`."""
