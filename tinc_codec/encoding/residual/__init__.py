"""The encoder's side of the residual: predictors fitted pass by pass, voxels quantised, tiles written.

May import the residual, the backends and below, not the rest of the encoder. Start with `encode`.
"""
