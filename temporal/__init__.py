"""How we reach Temporal: one connection, one data converter, one way to read a run."""
