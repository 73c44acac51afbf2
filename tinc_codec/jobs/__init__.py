"""Whole stores, chunk by chunk on dask's workers: plan, write, verify, account, publish.

May import hosts and below. Start with `compress`, then `request` and `run`.
"""
