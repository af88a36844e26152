"""What this machine has, and how it is to be used: memory, threads, the precision of matrix
products, why CUDA cannot be used."""
