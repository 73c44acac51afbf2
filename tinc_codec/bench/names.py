"""Names of studies and of peers, which the command line completes without importing either."""

STUDY_NAMES = ("figures", "ratios", "allocations", "bounds", "decibels", "efforts", "networks", "reads", "overhead")
"""Of `tinc_codec.bench.studies.STUDIES`."""

PEER_NAMES = ("sperr", "sz3", "zfp", "jpeg2000", "jpegxl", "hevc", "av1")
"""Of `tinc_codec.bench.comparison.PEERS`, as they are written on the command line, in order."""
