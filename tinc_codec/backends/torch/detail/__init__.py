"""Coefficients on a torch device: what `tinc_codec.detail.reference` does, tiles that are alike at once.

May import the detail, for its constants and tables. Start with `work`, which encodes; `samples` decodes.
"""
