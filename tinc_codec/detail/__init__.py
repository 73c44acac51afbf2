"""Detail: coefficients of a wavelet packet, coded by their likely size; the reference is in NumPy.

May import the stream and below; a backend's `Work` is given to it. Start with `goals.encode` and `decoding.Detail`,
then `work` and `section`; FORMAT.md says what the bytes mean.
"""
