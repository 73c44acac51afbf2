"""From a stream to samples: whole, in parts, coarser, between voxels; and what a stream says of itself.

May import backends and below, never what encodes. Start with `decode`, then `chunk`.
"""
