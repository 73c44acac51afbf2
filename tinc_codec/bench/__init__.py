"""Studies that are run by hand: figures, bounds, reads, beside classical codecs.

May import all others but the command line. Start with `studies`.
"""
