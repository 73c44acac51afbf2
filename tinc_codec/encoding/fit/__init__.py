"""Training of sine trees, the only place that needs torch to encode.

May import the tree and below, not the stream. Start with `training`.
"""
