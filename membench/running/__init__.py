"""Playing cells: the runner, its sessions, the player of steps, progress, references."""
