"""Stores over HTTP as plain Zarr, for readers that have no codec of ours, and a page to look at them.

May import hosts and below. Start with `app`, then `plain`.
"""
