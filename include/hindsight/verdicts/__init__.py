"""Judge: from numbers to verdicts, incidents and what is to be told; pure functions only."""
