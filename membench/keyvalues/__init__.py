"""Memories that are keys and values: blocks and InfLLM, trained prefixes, MemoryLLM's pool."""
