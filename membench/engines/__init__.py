"""Engines that decode answers in a model's place: vLLM, with adapters as files."""
