"""HTTP: what a request says, what is answered. Lives here and nowhere else."""
