"""The words everyone shares: no I/O, no Temporal, no HTTP, no clock."""
