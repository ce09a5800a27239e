"""What is made of stored cells beside tables: comparison, verification, rescoring, migration, merging, export."""
