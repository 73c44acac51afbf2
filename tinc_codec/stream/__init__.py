"""One chunk as bytes (FORMAT.md): the container, entropy coders, limits, and the sections.

May import the tree and below. Start with `container`.
"""
