"""The paper's tree: a chunk folded and cut into blocks, sine layers at every node, and their evaluation in integers.

May import runtime and below; this is the reference, in NumPy. Start with `partition`, then `model` and `inference`.
"""
