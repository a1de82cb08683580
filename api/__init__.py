"""Translation between HTTP and runs. Routes validate, make one call, and answer one typed response."""
