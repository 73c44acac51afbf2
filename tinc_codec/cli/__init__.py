"""The command `tinc`.

May import all others. Start with `main`.
"""
