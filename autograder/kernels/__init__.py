"""Where submissions run: a sandbox for each kernel, and a warm process that kernels are forked from."""
