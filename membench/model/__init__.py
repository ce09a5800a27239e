"""The language model: loading, prompt, reading in a tree of shared prefixes, decoding, likelihoods, its meter."""
