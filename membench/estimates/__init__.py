"""How long cells will take: from stored seconds before a run, from those just played during it."""
