"""What the twins must equal is the work of the reference's own modules."""

from tinc_codec.detail import estimate, fill, joining, lifting, mask, reference, samples, walk


def test_the_reference_is_made_of_its_own_modules():
    assert (reference.forward, reference.inverse) == (lifting.forward, joining.inverse)
    assert reference.cost is estimate.cost
    assert (reference.pack_mask, reference.unpack_mask) == (mask.pack, mask.unpack)
    assert (reference.diffuse, reference.samples) == (fill.diffuse, samples.samples)
    assert reference.walker is walk.Walker
