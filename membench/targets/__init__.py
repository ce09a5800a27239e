"""Target sentences: who writes them, how they are kept, how they overlap with test questions."""
