"""Who does a decoder's work: NumPy (the reference), numba, torch. All give the same bytes.

May import the residual, the detail, the stream, the tree and below. Start with `choice`, which alone chooses, and
`protocol`.
"""
