"""Files and downloads: atomic writes, the user's files, memories on disk, weights, the hub."""
