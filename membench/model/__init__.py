"""The language model: decoding in a tree of shared prefixes, likelihoods, answers under a recall, its meter."""
