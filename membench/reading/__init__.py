"""Reading token ids through the weights: branches of a tree, the slow reader, output head, self-test."""
