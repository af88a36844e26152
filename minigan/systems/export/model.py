"""ONNX files of a run's networks, checked against onnxruntime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ...autograd import no_grad
from ...data.files import write_atomic
from .forms import FORMS
from .parts import Part
from .trace import Batch, ExportError, Graph, Step, Value, trace

OPSET, IR = 18, 9  # of the file: both are of 2023, every present runtime knows them
TOLERANCE = 1e-5  # between minigan and onnxruntime, of numbers up to 1
STEPS = ("round", "floor", "trunc")  # ops whose results jump
RARE = 1e-3  # the share of numbers that may jump otherwise
CHECKED = (1, 7, 64)  # numbers of examples


class NeedsOnnx(ImportError):
    """A package is missing: the message says how to install it."""


def export_onnx(part: Part, path: str | os.PathLike, about: dict[str, str] | None = None) -> float:
    """Write a part of a run as an ONNX file, float32, for any number of examples; the largest
    difference of onnxruntime's results from what minigan computes in float64.

    about : facts for the file's metadata

    ExportError where an op has no ONNX form, or results differ; NeedsOnnx without the packages.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise NeedsOnnx(f"an ONNX file needs {error.name}: pip install 'minigan[onnx]'") from error
    graph = trace(part.call, lambda n: part.inputs(n, 0))
    model = Writer(onnx, graph).model(part.name, about or {})
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    # a number on the edge between two values may be rounded to either
    rare = RARE if any(step.op in STEPS for step in graph.steps) else 0.0
    found = [_differences(session, part, n, rare) for n in CHECKED]
    worst, own = (max(which) for which in zip(*found))
    allowed = max(TOLERANCE, 4 * own)  # some networks are as inexact in float32 here as there
    if not worst <= allowed:
        raise ExportError(
            f"{part.name}: onnxruntime's results differ from minigan's by {worst:.2g} "
            f"(at most {allowed:.2g} is allowed): nothing was written"
        )
    write_atomic(Path(path), content)
    return worst


def _differences(session: Any, part: Part, n: int, rare: float) -> tuple[float, float]:
    """The largest difference of onnxruntime's results from what minigan makes of n new examples in
    float64, and that of its own ones in float32; as shares of the largest result if that is above
    1. The largest but for a share of `rare` ones."""
    inputs, expected = part.inputs(n, n), part.exact(n, n)
    names = {i.name for i in session.get_inputs()}
    given = {name: x.numpy() for name, x in inputs.items() if name in names}
    found = session.run(None, given)[0]
    if found.shape != expected.shape:
        return np.inf, 0.0
    with no_grad():
        own = part.call(*inputs.values()).numpy()
    scale = max(1.0, np.abs(expected).max())
    far = lambda x: float(np.quantile(np.abs(x - expected), 1 - rare, method="lower") / scale)
    return far(found), far(own)


class Writer:
    """Makes an ONNX model of a graph. Forms (`minigan.systems.export.forms`) call `node`, `like`,
    `pair`, `shape`, `reshape`, `cast`, `maker`; `op` and `out` are the present step's."""

    def __init__(self, onnx: Any, graph: Graph):
        self.onnx = onnx
        self.graph = graph
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names: dict[Value, str] = {v: name for name, v in graph.inputs.items()}
        self.dtypes: dict[str, np.dtype] = {n: v.dtype for v, n in self.names.items()}
        self.known: dict[Any, str] = {}  # constants by their bytes
        self.op, self.out = "", graph.out
        for step in graph.steps:
            self.write(step)

    def write(self, step: Step) -> None:
        self.op, self.out = step.op, step.out
        if step.op not in FORMS:
            raise ExportError(f"{step.op} has no ONNX form: see minigan/systems/export/forms.py")
        name = FORMS[step.op](self, *step.args)
        self.names[step.out] = name
        self.dtypes[name] = step.out.dtype

    def model(self, name: str, about: dict[str, str]) -> Any:
        """The finished model."""
        helper = self.onnx.helper
        used = {x for node in self.nodes for x in node.input} | {self.names[self.graph.out]}
        info = lambda n, v: helper.make_tensor_value_info(n, self.type(v.dtype), self.sizes(v))
        inputs = [info(n, v) for n, v in self.graph.inputs.items() if n in used]
        out = self.graph.out
        last = helper.make_node("Identity", [self.names[out]], ["out"], name="out")
        nodes = [*self.nodes, last]
        graph = helper.make_graph(nodes, name, inputs, [info("out", out)], self.constants)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, producer_name="minigan", ir_version=IR, opset_imports=opset
        )
        helper.set_model_props(model, about)
        return model

    def sizes(self, value: Value) -> list[Any]:
        return [
            n if not isinstance(n, Batch) else "N" if n.times == 1 else f"{n.times}N"
            for n in value.shape
        ]

    # --- for forms ---

    def node(self, kind: str, *inputs: Any, **attributes: Any) -> str:
        """A node of these inputs: Values, names, arrays; the name of its result."""
        names = [self.name(x) for x in inputs]
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, names, [name], name=name, **attributes))
        self.dtypes[name] = self.dtypes.get(names[0], np.dtype(np.float32))
        return name

    def call(self, op: str, *args: Any) -> str:
        """The form of another op."""
        if op not in FORMS:
            raise ExportError(f"{op} has no ONNX form: see minigan/systems/export/forms.py")
        return FORMS[op](self, *args)

    def name(self, x: Any) -> str:
        if isinstance(x, str):
            return x
        if isinstance(x, Value):
            return self.names[x]
        x = np.ascontiguousarray(x).reshape(np.shape(x))
        key = x.dtype.str, x.shape, x.tobytes()
        if key not in self.known:
            self.known[key] = f"constant_{len(self.known)}"
            self.constants.append(self.onnx.numpy_helper.from_array(x, self.known[key]))
            self.dtypes[self.known[key]] = x.dtype
        return self.known[key]

    def like(self, x: Any, number: float) -> np.ndarray:
        """A number in the dtype of x."""
        if isinstance(number, Batch):
            raise ExportError(f"{self.op}: it computes with the number of examples: no ONNX form")
        return np.array(number, self.dtypes[self.name(x)])

    def pair(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Both, a plain number in the dtype of the other."""
        plain = lambda v: isinstance(v, (bool, int, float, Batch))
        return (
            self.like(y, x) if plain(x) else x,
            self.like(x, y) if plain(y) else y,
        )

    def shape(self, x: Any) -> tuple[Any, ...]:
        return x.shape

    def reshape(self, x: Any, shape: tuple[Any, ...]) -> str:
        """x in another shape, of which one number may be a multiple of the batch's."""
        sizes = [-1 if isinstance(n, Batch) else int(n) for n in shape]
        return self.node("Reshape", x, np.array(sizes, np.int64))

    def cast(self, x: Any, dtype: np.dtype) -> str:
        return self.node("Cast", x, to=self.type(dtype))

    def type(self, dtype: np.dtype) -> int:
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def maker(self, x: Any) -> Step | None:
        """The step that makes a Value."""
        return self.graph.makers.get(x) if isinstance(x, Value) else None
