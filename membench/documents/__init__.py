"""A folder of one's own documents: reading files, cutting passages, writing questions, looking them over."""
