"""How this process works: its settings (device, threads, cache, decoder), its threads, progress of long work.

May import errors and config. Start with `settings`.
"""
