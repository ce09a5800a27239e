"""Memories that are programs of their own: one conversation over standard input and output (docs/process.md)."""
