"""Guest memory, the memory table (the one gpa -> hva door) and the dirty log."""
