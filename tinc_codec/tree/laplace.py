"""What weights in training are taken to cost: constants that every way of training has in common."""

LEAST_SCALE = 0.1
"""Laplace scale of a kind of parameter, at least, in quantisation steps."""

LEAST_PROBABILITY = 1e-9
"""Of a value near 0, at least."""
