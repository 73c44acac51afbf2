"""Coefficients, compiled: what `tinc_codec.detail.reference` does, with the same integers and bytes.

May import the detail, for its constants and tables, and `compiler`. Start with `work`, then `walk`.
"""
