"""CPU kernels: plain Python loops, compiled by Numba when they are first called.

`@kernel` costs nothing at import. The compiled code is kept on disk (`cached`), so only the first
run on a machine compiles; it says so once on stderr. Loops are not `parallel=True`: that compiles
ten times as long, and Numba's threads would compete with those of the BLAS. Large arrays are
instead cut in chunks for our own threads (see `threads.py`).
"""

import contextlib
import functools
import inspect
import pathlib
import sys
import time
import types

# Reassociation lets reductions use SIMD; NaN, infinity and division keep their meaning.
FASTMATH = frozenset({"reassoc", "contract", "nsz"})


@functools.cache
def announce_compilation():
    from numba.core import event

    class Notice(event.Listener):
        shown = False

        def on_start(self, event):
            function = event.data["dispatcher"].py_func
            if not self.shown and function.__module__.startswith("minigan"):
                Notice.shown = True
                print(
                    "minigan: compiling CPU kernels (first run on this machine only, some "
                    "seconds) ...",
                    file=sys.stderr,
                    flush=True,
                )

        def on_end(self, event):
            pass

    event.register("numba:compile", Notice())


@functools.cache
def keep_copies_apart():
    """Make the code of a kernel the same in the process that compiles it and in those that load it.

    Numba links the kernels that a kernel calls into it under weak symbols, and of equal ones the
    loader keeps the first: while compiling, the callee's own code; later, the copy that was kept on
    disk with the caller. They were optimised apart, and round differently. So each caller's copies
    become its own.
    """
    from llvmlite.binding import Linkage
    from numba.core.codegen import CPUCodeLibrary

    optimize = getattr(CPUCodeLibrary, "_optimize_final_module", None)
    if optimize is None:  # a Numba that optimises elsewhere
        return

    def optimize_and_keep(self):
        optimize(self)
        functions = list(self._final_module.functions)
        if any("7minigan" in function.name for function in functions):
            for function in functions:
                if function.linkage == Linkage.linkonce_odr and not function.is_declaration:
                    function.linkage = "internal"

    CPUCodeLibrary._optimize_final_module = optimize_and_keep


# numpy's error model: a float division by zero gives inf, and the check that would raise cannot
# stop vectorisation.
OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


# Functions that give a kernel a new array.
ALLOCATORS = frozenset({"copy", "empty", "empty_like", "zeros", "zeros_like"})


def _options(function):
    """What Numba is told of a function.

    It counts who holds an array, also for each row that a loop takes, which costs as much as some
    forty of the row's numbers. Where no array is made there is nothing to count.

    So a kernel gives back no array, nor a part of one (except by `carray`, which nobody owns): one
    of two kernels may count and the other not, and then memory is never freed, or twice. And to
    copy an array into another by a slice makes one, too: it is written as a loop.
    """
    allocates = not ALLOCATORS.isdisjoint(function.__code__.co_names)
    return OPTIONS | {"fastmath": set(FASTMATH), "_nrt": allocates}


@functools.cache
def _dispatcher(function):
    import numba

    announce_compilation()
    return cached(numba.njit(**_options(function))(function))


def compiled(function):
    """Numba's dispatcher for `function`, made once; or what only notes the calls (see `ahead`)."""
    return _dispatcher(function) if noted is None else functools.partial(_note, function)


# While it is a dict, kernels do not compute: {what is called: a function that compiles it}.
noted: dict | None = None
missing: list = []  # functions to be called where code is not found on disk


def _note(function, *args):
    from numba.core import types as kinds

    dispatcher, code = _dispatcher(function), function.__code__
    if code.co_flags & inspect.CO_VARARGS:
        args = *args[: code.co_argcount], args[code.co_argcount :]
    found = [dispatcher.typeof_pyval(x) for x in args]
    if left := code.co_argcount - len(args):
        found += map(kinds.Omitted, (function.__defaults__ or ())[-left:])
    noted.setdefault((function, *found), functools.partial(dispatcher.compile, tuple(found)))
    return 0


@functools.cache
def _piece_compiler():
    """Numba's compiler of functions that are only called by others that it compiles.

    Numba makes machine code of each function, and copies what it calls into it: a function five
    calls down is optimised six times, of which one is used. Here it is optimised where all its
    callers end, in the code of the kernel that Python calls.
    """
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import Compiler

    class Piece(JITCodeLibrary):
        def finalize(self):
            self._raise_if_finalized()
            seen = set()
            for library in self._linking_libraries:
                if library not in seen:
                    self._reload_init.update(library._reload_init)
                    seen.add(library)
                    self._final_module.link_in(library._get_module_for_linking(), preserve=True)
            self._finalized = True

        def get_pointer_to_function(self, name):
            return 0  # there is no machine code

        @property
        def codegen(self):  # Numba asks it to tell the machine code where its environment is
            return types.SimpleNamespace(set_env=lambda name, environment: None)

    class PieceCompiler(Compiler):
        def __init__(self, typing, target, library, args, return_type, flags, locals):
            library = Piece(target.codegen(), "minigan's piece")
            library.enable_object_caching()
            super().__init__(typing, target, library, args, return_type, flags, locals)

    return PieceCompiler


@functools.cache
def piece(function):
    """Numba's dispatcher for calls of `function` by kernels.

    To Numba each whole number in the text of a call is a type of its own, for which it would
    compile the function once more. Here it is an integer.
    """
    import numba
    from numba.core import types as kinds

    announce_compilation()
    dispatcher = numba.njit(
        **_options(function),
        pipeline_class=_piece_compiler(),
        no_cpython_wrapper=True,
    )(function)
    template = dispatcher.get_call_template

    def get_call_template(args, kws):
        return template(
            [kinds.intp if isinstance(a, kinds.IntegerLiteral) else a for a in args], kws
        )

    dispatcher.get_call_template = get_call_template
    return dispatcher


def cached(function):
    """The Numba function given, whose code will be kept on disk.

    Numba compiles anew when the file of a function has changed. Kernels of this folder go into the
    code of others: its files count, too.
    """
    keep_copies_apart()
    # no file to keep a cache beside: a function typed in at a prompt
    with contextlib.suppress(RuntimeError):
        function.enable_caching()
        with contextlib.suppress(AttributeError):  # a Numba that keeps this elsewhere
            file = function._cache._cache_file
            file._source_stamp = (file._source_stamp, _sources())
            file.save = functools.partial(_alone, file._index_path, file.save)
            file.load = functools.partial(_load, file._index_path, file.load)
    return function


TRIES, PAUSE = 20, 0.01  # seconds


def _alone(index, do, *args):
    """do(*args), while no other process saves or loads this function's code.

    Numba's index on disk numbers the files of code. Of two processes that save at once both may
    take one number, and who loads in between may find the code of another time there. If the
    others do not come to an end, nothing is done: the code is then compiled, or not kept.
    """
    with contextlib.ExitStack() as stack:
        try:
            import fcntl

            lock = stack.enter_context(open(f"{index}.lock", "ab"))
        except (ImportError, OSError):  # another system, no folder yet or none to write in
            return do(*args)
        for _ in range(TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with its process
            except BlockingIOError:
                time.sleep(PAUSE)
            except OSError:  # files there cannot be locked
                return do(*args)
            else:
                return do(*args)
    return None


def _load(index, load, key):
    found = _alone(index, load, key)
    if found is None:
        for call in missing:
            call()
    return found


@functools.cache
def _sources():
    """The names, times and sizes of this folder's files: they differ where the code does."""
    return tuple(
        (f.name, f.stat().st_mtime_ns, f.stat().st_size)
        for f in sorted(pathlib.Path(__file__).parent.glob("*.py"))
    )


class kernel:
    """Decorator: a function of arrays and scalars, compiled lazily; `.reference` is the uncompiled
    Python function.

    apart : kernels that call it take its finished code into theirs, not the source
    """

    def __init__(self, function, apart=False):
        functools.update_wrapper(self, function)
        self.reference = function
        self.apart = apart
        self._run = self._compile

    def _compile(self, *args):
        run = compiled(self.reference)
        found = run(*args)
        if noted is None:
            self._run = run
        return found

    def __call__(self, *args):
        return self._run(*args)

    @property
    def _numba_type_(self):
        """What Numba asks a global value of the function that it compiles: one kernel may call
        another."""
        return (compiled if self.apart else piece)(self.reference)._numba_type_


class Intrinsic:
    """Code that a kernel may call, made when Numba first asks for it."""

    def __init__(self, make):
        self.make = make

    @functools.cached_property
    def _numba_type_(self):
        """What Numba asks a global value of the function that it compiles."""
        from numba.core.registry import cpu_target

        function = self.make()
        cpu_target.typing_context.refresh()
        cpu_target.target_context.refresh()
        return cpu_target.typing_context.resolve_value_type(function)
