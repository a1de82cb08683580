"""What a run costs us beyond its jobs, next to the least that any program on Temporal would cost."""
