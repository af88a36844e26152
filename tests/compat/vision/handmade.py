"""Small files in the real formats of data sets, written by hand."""

import gzip
import hashlib

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def idx(path, array):
    kind = {"uint8": 8, "int32": 12}[array.dtype.name]
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    content = (
        bytes([0, 0, kind, array.ndim])
        + sizes
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )
    write(path, gzip.compress(content) if path.suffix == ".gz" else content)


def bytes_of(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def picture(mode="RGB"):
    return Image.fromarray(bytes_of(12, 10) if mode == "L" else bytes_of(12, 10, 3))


def saved(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def python2(value):
    """As Python 2's cPickle writes it in protocol 2: str as STRING, arrays by _reconstruct and a
    state with a str."""

    def emit(x):
        if isinstance(x, np.ndarray):
            start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
            shape = b"(" + b"".join(emit(n) for n in x.shape) + b"t"
            dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
            dtype += b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
            return start + b"(K\x01" + shape + dtype + b"\x89" + emit(x.tobytes()) + b"tb"
        if isinstance(x, bytes):
            return b"T" + len(x).to_bytes(4, "little") + x
        if isinstance(x, str):
            return b"U" + bytes([len(x)]) + x.encode("latin1")
        if isinstance(x, int):
            return b"J" + x.to_bytes(4, "little", signed=True)
        if isinstance(x, list):
            return b"](" + b"".join(map(emit, x)) + b"e"
        return b"}(" + b"".join(emit(k) + emit(v) for k, v in x.items()) + b"u"

    return b"\x80\x02" + emit(value) + b"."


def cifar(folder, n=4, dump=python2, hundred=False):
    """CIFAR's python batches; the pixels of each, (N, 3072)."""
    parts = {}
    for name in (
        ["train", "test"] if hundred else [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    ):
        parts[name] = bytes_of(n, 3072)
        key = "fine_labels" if hundred else "labels"
        content = {
            "batch_label": f"{name} of 6",
            key: [(3 * i) % 10 for i in range(n)],
            "data": parts[name],
            "filenames": ["a.png"] * n,
        }
        write(folder / name, dump(content))
    names = (
        {"fine_label_names": [f"class{i}" for i in range(100)]}
        if hundred
        else {"label_names": list("abcdefghij")}
    )
    write(folder / ("meta" if hundred else "batches.meta"), dump(names))
    return parts


def celeba(folder, comma=False, n=6):
    """The text files as they are, or Kaggle's tables."""
    names = [f"{i + 1:06d}.jpg" for i in range(n)]
    attributes = [f"Attr{i}" for i in range(40)]
    tables = {
        "list_attr_celeba": (attributes, RNG.choice([-1, 1], (n, 40))),
        "list_bbox_celeba": (["x_1", "y_1", "width", "height"], RNG.integers(0, 200, (n, 4))),
        "list_landmarks_align_celeba": (
            [f"p{i}" for i in range(10)],
            RNG.integers(0, 200, (n, 10)),
        ),
        "list_eval_partition": (["partition"], np.array([0, 0, 1, 2, 0, 2])[:, None]),
        "identity_CelebA": (["identity"], np.arange(n)[:, None] + 100),
    }
    for name, (header, rows) in tables.items():
        if comma:
            lines = [",".join(["image_id", *header])] + [
                ",".join([i, *map(str, r)]) for i, r in zip(names, rows)
            ]
        else:
            lines = (
                []
                if name in ("list_eval_partition", "identity_CelebA")
                else [str(n)] * (name != "list_bbox_celeba") or [f"{n}"]
            )
            lines += (
                []
                if name in ("list_eval_partition", "identity_CelebA")
                else [" ".join(header) + " "]
            )
            lines += [f"{i}  {' '.join(f'{v:2d}' for v in r)}" for i, r in zip(names, rows)]
        write(folder / f"{name}.{'csv' if comma else 'txt'}", "\n".join(lines) + "\n")
    place = folder / "img_align_celeba" / ("img_align_celeba" if comma else ".")
    for name in names:
        saved(place / name, picture())
    return tables


def served(path, monkeypatch, dataset, **attributes):
    """The data set's file at a file:// address."""
    monkeypatch.setattr(dataset, "url", path.as_uri())
    for name, value in attributes.items():
        monkeypatch.setattr(dataset, name, value)


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()
