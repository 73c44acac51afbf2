"""Quality and speed beside classical codecs: on anyone's data, and the studies of the published figures.

May import all others but the command line. Start with `comparison`, or with `studies`.
"""
