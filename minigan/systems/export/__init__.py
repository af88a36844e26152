"""Networks of a run for other programs: what they compute as a list of ops, as an ONNX file, and in
a page."""

from .explore import packed
from .model import NeedsOnnx, export_onnx
from .parts import Part, parts_of
from .trace import ExportError, Graph, Step, Value, folded, trace

__all__ = [
    "ExportError", "Graph", "NeedsOnnx", "Part", "Step", "Value", "export_onnx", "folded",
    "packed", "parts_of", "trace",
]  # fmt: skip
