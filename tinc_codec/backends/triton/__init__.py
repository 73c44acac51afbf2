"""Kernels for a GPU in Triton: a node's layers in one go, to train and to decode; nothing else needs Triton.

May import the tree and below. Start with `chains`, which says what a kernel does at a time.
"""
