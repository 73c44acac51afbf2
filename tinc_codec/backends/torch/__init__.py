"""Whole models on a torch device; imported only where a device or tensors are asked for.

May import the tree and below. Start with `inference`.
"""
