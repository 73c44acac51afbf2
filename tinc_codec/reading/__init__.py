"""Parts of a chunk: selections, coarser levels, positions between voxels, and what is kept for the next read."""
