"""What the model leaves over: integers on a lattice, predicted from their neighbours, coded by their likely size."""
