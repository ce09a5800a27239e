"""Which memory for a need: evidence from stored cells, the choice, how large memories grow."""
