"""Numbers from coefficients on a torch device, as `tinc_codec.detail.quantiser` has them, and the tally of them."""

from __future__ import annotations

import torch
from torch import Tensor as Array

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.quantiser import OFF, SUMS, Quantiser, Tally
from tinc_codec.detail.tables import ESCAPE, TOKENS


class Quantising:
    """What is quantised with one quantiser, and what came of it so far.

    Parameters
    ----------
    quantiser
        Its coefficients lie on the device.
    bands
        How many there are.
    device
        Where it is done.
    """

    def __init__(self, quantiser: Quantiser, bands: int, device: torch.device) -> None:
        self.quantiser = quantiser
        self.costs = torch.from_numpy(quantiser.costs).to(device).reshape(-1)
        self.settings = torch.tensor([quantiser.price, *OFF], dtype=torch.float64, device=device)
        self.histogram = torch.zeros(CLASSES * TOKENS, dtype=torch.float64, device=device)
        self.sums = torch.zeros((bands, SUMS), dtype=torch.float64, device=device)

    @property
    def coefficients(self) -> Array:
        """All coefficients."""
        coefficients: Array = self.quantiser.coefficients
        return coefficients

    def band(self, number: int, shift: int, coefficients: Array) -> Band:
        """Begin with a band.

        Parameters
        ----------
        shift
            Low bits that are stored as they are.
        coefficients
            Of the band, ``(frames, ...)``.
        """
        return Band(self, number, shift, coefficients)

    def tally(self) -> Tally:
        """What came of all."""
        return Tally(self.histogram.view(CLASSES, TOKENS).cpu().numpy(), self.sums.cpu().numpy())


class Band:
    """Coefficients of a band in some frames while they are quantised, pass by pass."""

    def __init__(self, whole: Quantising, number: int, shift: int, coefficients: Array) -> None:
        self._whole, self._number, self.shift = whole, number, shift
        self._negative = coefficients < 0
        self.values = coefficients.abs().double() * (1.0 / float(whole.quantiser.steps[number]))
        self._magnitudes = torch.zeros_like(self.values, dtype=torch.int64)
        self._bits = torch.zeros((), dtype=torch.float64, device=coefficients.device)
        self._symbols: list[Array] = []

    @property
    def costs(self) -> Array:
        """Bits of each token in each class, flat."""
        return self._whole.costs

    @property
    def settings(self) -> Array:
        """The price of a bit, and `OFF`."""
        return self._whole.settings

    @property
    def numbers(self) -> Array:
        """Numbers of the coefficients, int32."""
        return torch.where(self._negative, -self._magnitudes, self._magnitudes).int()

    def quantise(self, where: tuple[slice, ...], classes: Array) -> Array:
        """Quantise the coefficients of a pass; return their tokens, int64."""
        value, shift = self.values[where], self.shift
        top = torch.floor(value + 0.5).long()
        row = classes * TOKENS
        if shift:
            best, bits = top, self._cost(top >> shift, row) + shift
        else:
            best, bits = self._cheapest(value, top, row)
        tokens = (best >> shift).clamp(max=ESCAPE)
        self._magnitudes[where] = best
        self._bits += bits.sum()
        self._symbols.append((row + tokens).reshape(-1))
        return tokens

    def accept(self, magnitudes: Array, bits: Array, symbols: Array) -> None:
        """Take over what a kernel has quantised: of all coefficients, int64, float64 and int64."""
        self._magnitudes = magnitudes
        self._bits = bits.sum()
        self._symbols = [symbols.reshape(-1)]

    def _cheapest(self, value: Array, top: Array, row: Array) -> tuple[Array, Array]:
        """Of the two numbers next to each coefficient and 0, the one that costs least in distortion and bits."""
        price = self._whole.quantiser.price
        best, bits = torch.zeros_like(top), self.costs[row]
        least = value * value + price * bits
        for candidate in ((top - 1).clamp(min=1), top):
            off = torch.where(candidate == 1, self.settings[1], self.settings[2])
            wrong = value - candidate + off
            cost = self._cost(candidate, row)
            loss = wrong * wrong + price * cost
            better = (loss < least) & (candidate <= top)
            least, best, bits = (
                torch.where(better, new, old) for new, old in ((loss, least), (candidate, best), (cost, bits))
            )
        return best, bits

    def _cost(self, tokens: Array, row: Array) -> Array:
        beyond = (tokens - ESCAPE + 1).clamp(min=1)
        return self.costs[row + tokens.clamp(max=ESCAPE)] + 2 * torch.log2(beyond.double())

    def count(self, weight: float) -> None:
        """Note what came of the band; see `tinc_codec.detail.quantiser.SUMS`."""
        off = self.values - self._magnitudes
        squared = off * off
        ones, more = self._magnitudes == 1, self._magnitudes > 1
        kinds = [self._magnitudes == 0, ones, ones, ones, more, more, more]
        parts = [squared, None, off, squared, None, off, squared]
        sums = [
            kind.sum().double() if part is None else torch.where(kind, part, 0.0).sum()
            for kind, part in zip(kinds, parts, strict=True)
        ]
        self._whole.sums[self._number] += weight * torch.stack([self._bits, *sums])
        symbols = torch.cat(self._symbols)
        counts = torch.zeros(CLASSES * TOKENS, dtype=torch.int64, device=symbols.device)
        counts.scatter_add_(0, symbols, torch.ones_like(symbols))
        self._whole.histogram += weight * counts
