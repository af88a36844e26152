"""Kernels for NumPy's float32 and float64 arrays. Each file registers its own on the cards (see
`minigan.fast.table`)."""
