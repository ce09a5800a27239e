"""What is made of stored cells beside tables: comparison, advice, verification, rescoring, export."""
