"""Text in any script: one way to fold, split, cut and compare it."""
