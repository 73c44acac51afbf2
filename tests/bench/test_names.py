from tinc_codec.bench.comparison import PEERS
from tinc_codec.bench.names import PEER_NAMES, STUDY_NAMES
from tinc_codec.bench.studies import STUDIES


def test_names_for_the_command_line_are_those_of_what_there_is():
    assert len(PEER_NAMES) == len(PEERS)
    for name, peer in zip(PEER_NAMES, PEERS, strict=True):
        assert peer.name.lower().replace(" ", "") in (name, "jpegxl")
    assert tuple(STUDIES) == STUDY_NAMES
