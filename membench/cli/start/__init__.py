"""The commands to start with: demo, doctor, status, ls."""
