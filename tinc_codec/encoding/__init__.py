"""From samples to a stream that keeps its target, decoded and measured before anything is promised of it.

May import decoding and below. Start with `encode`, then `targets`.
"""
