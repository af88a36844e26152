"""The fast path: kernels and machinery that may be deleted. Importing it puts them in their places."""

from . import updates as updates
