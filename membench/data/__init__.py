"""Data sources, one module each; found by file name, never imported by name."""
