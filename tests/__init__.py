"""Tests; imported before any of them, and before NumPy, whose products of matrices else take all cores each."""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
