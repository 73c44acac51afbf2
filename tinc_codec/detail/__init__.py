"""Detail: coefficients of a wavelet packet, coded by their likely size. Imports only `stream` and what lies below it.

Start with `section`, which is the interface; FORMAT-draft.md says what the bytes mean. `*_numba.py` are twins.
"""
