"""Many models: a pool of processes, or a cluster."""
