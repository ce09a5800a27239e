"""The built-in tasks, one file each; a file's name is its task's name."""
