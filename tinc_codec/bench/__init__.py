"""Benchmarks, run by hand: our codec and its classical peers on real volumes; results as JSON."""
