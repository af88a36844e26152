"""Why an op failed: what NumPy says of arrays, in the words of this library."""

import re


def reason(error: BaseException, shapes: list[tuple[int, ...]]) -> str:
    """What NumPy says, in the words of this library. shapes: of the arguments that are arrays."""
    text = " ".join(str(error).split())
    if "gufunc" in text or (text.startswith("matmul") and "operand" in text):
        if any(not s for s in shapes[:2]):
            return (
                f"shapes {' and '.join(map(str, shapes[:2]))} cannot be multiplied: both need "
                "at least one dimension"
            )
        return (
            f"shapes {' and '.join(map(str, shapes[:2]))} cannot be multiplied: the inner "
            "sizes differ"
        )
    if text.startswith("a product of") and len(shapes) > 1:
        return f"the last sizes of input {shapes[0]} and weight {shapes[1]} differ"
    if "remapped shapes" in text and len(shapes) > 1:
        return (
            f"shapes {' and '.join(map(str, shapes[:2]))} cannot be multiplied: their batch "
            "sizes differ"
        )
    if found := re.search(r"remapped shapes.*requested shape \((.*)\)", text):
        return f"shape {shapes[0] if shapes else ''} cannot be expanded to ({found[1]})"
    if "zero-size array" in text or "empty sequence" in text:
        return "an empty Tensor has no such element; name a dim that has some"
    if found := re.fullmatch(r"operands could not be broadcast together with shapes (.*)", text):
        return (
            f"shapes {' and '.join(re.findall(r'[(][^)]*[)]', found[1]))} cannot be broadcast "
            "together"
        )
    if found := re.fullmatch(
        r"could not broadcast input array from shape (.*) into shape (.*)", text
    ):
        return (
            f"a value of shape {found[1]} cannot be broadcast to the shape {found[2]} of that place"
        )
    if found := re.fullmatch(r"cannot reshape array of size (\d+) into shape (.*)", text):
        return f"{found[1]} elements do not fit into the shape {found[2].replace('newaxis', '-1')}"
    if "concatenation axis must match exactly" in text:
        return (
            "sizes must agree in all dimensions but the one that is joined: "
            f"{' and '.join(map(str, shapes))}"
        )
    if "output array is read-only" in text or "assignment destination is read-only" in text:
        return (
            "its memory cannot be written: expand() lets several elements share it, and "
            "NumPy's array may be read-only; take a clone()"
        )
    text = re.sub(
        r"^too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed",
        r"\2 indices for \1 dimensions",
        text,
    )
    text = re.sub(
        r"\baxis (-?\d+) is out of bounds for array of dimension (\d+)",
        r"dimension \1 is out of range for \2 dimensions",
        text,
    )
    return re.sub(r"\bfor axis (\d+)", r"for dimension \1", text)
