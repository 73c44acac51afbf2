"""The compiled backend, a file for each job of a decoder; imported only where numba is installed.

May import what the reference imports, and the reference for its numbers. Start with `backend`.
"""
