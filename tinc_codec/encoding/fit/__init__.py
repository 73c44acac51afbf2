"""Training of sine trees, the only place that needs torch to encode.

May import the tree, the plans of coefficients and below, not the stream. Start with `training`, for sine layers alone,
and `under_coefficients`.
"""
