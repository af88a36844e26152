"""Python to CUDA C++, for the scalar formulas that Numba compiles for the CPU: a formula is written
once.

What is understood: functions of numbers that return one (`return math.tanh(x * 0.5)`), and loops
over elements, as kernels are: `for i in range(x.size): out[i] = ...`, with local variables, `if`,
conditional expressions, comparisons, arithmetic and the functions below. Before a loop there may be
assignments, also `slope = x.dtype.type(slope)`. A loop that sums up (`total += ...`, then `return
total`) is one, too. Anything else is a TranslationError that names the line.
"""

import ast
import inspect
import textwrap

FUNCTIONS = {
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sqrt": "sqrt", "tanh": "tanh",
    "erf": "erf", "sin": "sin",
    "cos": "cos", "floor": "floor", "fabs": "fabs", "abs": "fabs", "max": "larger",
    "min": "smaller", "maximum": "larger",
    "minimum": "smaller",
}  # fmt: skip
BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.BitAnd: "&&",
    ast.BitOr: "||",
}
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}

KEYWORDS = frozenset(  # of C++, that Python allows as names
    "new delete double float int long short char bool auto const default do switch case template "
    "this union struct signed unsigned register operator private public protected friend goto enum "
    "extern inline static throw catch typename using virtual void".split()
)

HELPERS = """
// as Python's max(a, b) and min(a, b)
__device__ inline REAL larger(REAL a, REAL b) { return b > a ? b : a; }
__device__ inline REAL smaller(REAL a, REAL b) { return b < a ? b : a; }
"""


def cpp(name):
    """The variable's name in C++."""
    return f"{name}_" if name in KEYWORDS else name


class TranslationError(TypeError):
    """A construct that has no translation."""


class Formula:
    """A function's translation.

    arguments : its parameters' names, in order
    none : those that are None in this use
    elements : the parameters of a loop that are indexed by i
    constants : how many numbers are taken by a constant index
    body : statements of C++ for element `i` of `n`; numbers and arrays are REAL variables and
        pointers of the parameters' names
    result : for a scalar function the expression it returns; for a summing loop the names of the
        sums; else None
    sums : does it sum up?
    """

    def __init__(self, function, none=()) -> None:
        self.function, self.none = function, frozenset(none)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        if not isinstance(tree, ast.FunctionDef):
            raise TranslationError(f"{function}: expected a function")
        self.first_line = function.__code__.co_firstlineno
        self.arguments = [a.arg for a in tree.args.args]
        self.locals: dict[str, str] = {}
        self.result: list[str] = []
        self.sums = any(isinstance(s, ast.For) for s in tree.body) and isinstance(
            tree.body[-1], ast.Return
        )
        if self.sums:
            self.result = [n.id for n in self._returned(tree.body[-1])]
        self.loops, self.constants = False, 0
        self.elements: set[str] = set()  # arrays that are taken element by element
        body = (
            tree.body[1:]
            if isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant)
            else tree.body
        )
        lines = self._block(body, 1)
        # a parameter that is assigned to becomes a variable
        changed = [a for a in self.arguments if a in self.locals]
        self.body = (
            "\n".join(
                ["    " + self._declare(v) for v in self.locals if v not in changed],
            )
            + "\n"
            + "\n".join(lines)
        )

    def _declare(self, name):
        return f"{self.locals[name]} {cpp(name)};"

    def _wrong(self, node, what):
        line = self.first_line + node.lineno - 1
        return TranslationError(
            f"{self.function.__qualname__}, line {line}: {what} has no translation to CUDA"
        )

    def _returned(self, statement):
        value = statement.value
        names = value.elts if isinstance(value, ast.Tuple) else [value]
        if not all(isinstance(n, ast.Name) for n in names):
            raise self._wrong(statement, "a sum that is not returned as it is")
        return names

    # --- statements ---

    def _block(self, statements, depth):
        lines = []
        for s in statements:
            lines += self._statement(s, depth)
        return lines

    def _statement(self, s, depth):
        pad = "    " * depth
        if isinstance(s, ast.For):
            self._check_loop(s)
            self.loops = True
            return self._block(s.body, depth)
        if isinstance(s, ast.Assign) and len(s.targets) == 1:
            target, value = s.targets[0], s.value
            if isinstance(target, ast.Tuple):
                if not isinstance(value, ast.Tuple) or len(value.elts) != len(target.elts):
                    raise self._wrong(s, "this assignment of several values")
                pairs = list(zip(target.elts, value.elts))
            else:
                pairs = [(target, value)]
            return [pad + self._assign(t, v) for t, v in pairs]
        if isinstance(s, ast.AugAssign):
            operator = BINARY.get(type(s.op))
            if isinstance(s.target, ast.Name) and s.target.id in self.result:
                if operator not in ("+", "-"):
                    raise self._wrong(s, "this way to sum up")
                return [f"{pad}sum_{s.target.id} {operator}= {self.expression(s.value)};"]
            return [f"{pad}{self._target(s.target)} {operator}= {self.expression(s.value)};"]
        if isinstance(s, ast.If):
            known = self._known(s.test)
            if known is not None:
                return self._block(s.body if known else s.orelse, depth)
            lines = [f"{pad}if ({self.expression(s.test)}) {{", *self._block(s.body, depth + 1)]
            if s.orelse:
                lines += [f"{pad}}} else {{", *self._block(s.orelse, depth + 1)]
            return [*lines, pad + "}"]
        if isinstance(s, ast.Return):
            if self.sums:
                return []
            self.result = [self.expression(s.value)]
            return []
        raise self._wrong(s, type(s).__name__)

    def _check_loop(self, s):
        ranged = (
            isinstance(s.iter, ast.Call)
            and getattr(s.iter.func, "id", None) == "range"
            and len(s.iter.args) == 1
        )
        if (
            not ranged
            or s.orelse
            or not isinstance(s.iter.args[0], ast.Attribute)
            or s.iter.args[0].attr != "size"
        ):
            raise self._wrong(s, "a loop that is not `for i in range(x.size)`")
        if getattr(s.target, "id", None) != "i":
            raise self._wrong(s, "a loop whose index is not called i")

    def _assign(self, target, value):
        if (
            isinstance(target, ast.Name)
            and target.id in self.result
            and isinstance(value, ast.Constant)
        ):
            return f"// {target.id} starts at {value.value}"
        expression = self.expression(value)
        if isinstance(target, ast.Name):
            self.locals.setdefault(
                target.id, "bool" if isinstance(value, (ast.Compare, ast.BoolOp)) else "REAL"
            )
        return f"{self._target(target)} = {expression};"

    def _target(self, node):
        if isinstance(node, ast.Name):
            return cpp(node.id)
        if isinstance(node, ast.Subscript):
            return self.expression(node)
        raise self._wrong(node, "an assignment to this")

    def _known(self, test):
        """`x is not None` is decided when translating; None for other tests."""
        if (
            isinstance(test, ast.Compare)
            and isinstance(test.ops[0], (ast.Is, ast.IsNot))
            and isinstance(test.left, ast.Name)
        ):
            return (test.left.id in self.none) == isinstance(test.ops[0], ast.Is)
        return None

    # --- expressions ---

    def expression(self, e):
        """C++ for an expression."""
        if isinstance(e, ast.Constant):
            return self._number(e, e.value)
        if isinstance(e, ast.Name):
            return self._name(e)
        if isinstance(e, ast.Subscript):
            index = e.slice
            if isinstance(index, ast.Constant) and isinstance(index.value, int):
                self.constants = max(self.constants, index.value + 1)
                return f"{e.value.id}[{index.value}]"
            if isinstance(index, ast.Name) and index.id == "i":
                self.elements.add(e.value.id)
                return f"{e.value.id}[i]"
            raise self._wrong(e, "an index that is neither i nor a number")
        if isinstance(e, ast.BinOp):
            left, right = self.expression(e.left), self.expression(e.right)
            if isinstance(e.op, ast.Pow):
                return f"pow({left}, {right})"
            if type(e.op) not in BINARY:
                raise self._wrong(e, f"the operator {type(e.op).__name__}")
            return f"({left} {BINARY[type(e.op)]} {right})"
        if isinstance(e, ast.UnaryOp):
            operator = {ast.USub: "-", ast.UAdd: "+", ast.Not: "!"}.get(type(e.op))
            if operator is None:
                raise self._wrong(e, f"the operator {type(e.op).__name__}")
            return f"({operator}{self.expression(e.operand)})"
        if isinstance(e, ast.BoolOp):
            return (
                "("
                + (" && " if isinstance(e.op, ast.And) else " || ").join(
                    self.expression(v) for v in e.values
                )
                + ")"
            )
        if isinstance(e, ast.Compare) and all(type(o) in COMPARE for o in e.ops):
            terms = [self.expression(x) for x in (e.left, *e.comparators)]
            return (
                "("
                + " && ".join(
                    f"{a} {COMPARE[type(o)]} {b}" for a, o, b in zip(terms, e.ops, terms[1:])
                )
                + ")"
            )
        if isinstance(e, ast.IfExp):
            known = self._known(e.test)
            if known is not None:
                return self.expression(e.body if known else e.orelse)
            test, body, orelse = (self.expression(x) for x in (e.test, e.body, e.orelse))
            return f"({test} ? {body} : {orelse})"
        if isinstance(e, ast.Call) and not e.keywords:
            arguments = [self.expression(a) for a in e.args]
            # x.dtype.type(number)
            if isinstance(e.func, ast.Attribute) and e.func.attr == "type" and len(arguments) == 1:
                return f"((REAL){arguments[0]})"
            name = e.func.attr if isinstance(e.func, ast.Attribute) else getattr(e.func, "id", None)
            if name in FUNCTIONS:
                return f"{FUNCTIONS[name]}({', '.join(arguments)})"
        raise self._wrong(e, ast.unparse(e))

    def _number(self, e, value):
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return f"((REAL){float(value)!r})".replace("inf", "INFINITY")
        raise self._wrong(e, repr(value))

    def _name(self, e):
        if e.id in self.arguments or e.id in self.locals or e.id in self.result:
            return cpp(e.id)
        value = self.function.__globals__.get(e.id)
        if isinstance(value, (int, float)):
            return self._number(e, value)
        raise self._wrong(e, f"the name {e.id}")
