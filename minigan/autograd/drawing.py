"""A picture of the tape."""

from ..engine.tensor import Tensor


def draw_tape(tensor, path=None):
    """The tape that leads to `tensor` as Graphviz DOT text: ops as ellipses, leaves as boxes, with
    their shapes.

    path : also write the text there; `dot -Tsvg FILE -o graph.svg` draws it.
    """
    lines = ["digraph tape {", '  rankdir="BT"; node [fontname="monospace", fontsize=10];']
    root = tensor._node or tensor
    seen, stack = {id(root)}, [root]
    while stack:
        item = stack.pop()
        shape = (
            "x".join(map(str, item.array.shape if isinstance(item, Tensor) else item.shape))
            or "scalar"
        )
        if isinstance(item, Tensor):
            label = f"{getattr(item, 'name', None) or 'leaf'}\\n{shape}"
            color = "#cfe8ff" if item.requires_grad else "#eeeeee"
            lines.append(
                f'  n{id(item)} [label="{label}", shape=box, style=filled, fillcolor="{color}"];'
            )
            continue
        lines.append(f'  n{id(item)} [label="{item.op.__name__} #{item.number}\\n{shape}"];')
        for edge in item.edges:
            if edge is not None:
                lines.append(f"  n{id(edge)} -> n{id(item)};")
                if id(edge) not in seen:
                    seen.add(id(edge))
                    stack.append(edge)
    text = "\n".join([*lines, "}", ""])
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return text
