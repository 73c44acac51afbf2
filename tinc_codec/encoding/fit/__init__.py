"""Training of sine trees, the only place that needs torch to encode.

May import backends, the plans of coefficients, the tree and below, not the stream. Start with `training`, for sine
layers alone, `under_coefficients`, and `execution`, which says how a device runs them.
"""
