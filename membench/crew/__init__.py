"""Playing the cells of a run on many workers: processes, Ray's actors, SLURM's array jobs."""
