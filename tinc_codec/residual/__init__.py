"""What the prediction leaves over, in integers: interlaced lattices, prediction from neighbours, tokens by context.

May import the stream and below; this is the reference, in NumPy. Start with `section`, then `tiles`.
"""
