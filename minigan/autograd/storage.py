"""The memory under a Tensor, as far as programs ask for it."""

from ..arrays import address
from .tensor import Tensor


class Storage:
    """The memory that a Tensor and its views share, as a row of elements: torch's TypedStorage.

    array : the array of the Tensor, or of a view of it
    """

    def __init__(self, array):
        owner = array if array.base is None or not hasattr(array.base, "strides") else array.base
        owner = owner if owner.dtype == array.dtype else array
        order = sorted(range(owner.ndim), key=lambda i: -owner.strides[i])
        self._owner, self._row = owner, owner.transpose(order).reshape(-1)

    @property
    def dtype(self):
        """The dtype of the elements."""
        return self._row.dtype

    def size(self):
        """The number of elements."""
        return self._row.size

    __len__ = size

    def nbytes(self):
        """Bytes of all elements."""
        return self._row.nbytes

    def element_size(self):
        """Bytes of one element."""
        return self._row.itemsize

    def data_ptr(self):
        """The address of the first element."""
        return address(self._owner)

    def tolist(self):
        """The elements as Python numbers."""
        return self._row.tolist()

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index):
        return self._row[index].tolist()

    def __repr__(self):
        numbers = "\n".join(f" {v}" for v in self.tolist())
        return f"{numbers}\n[Storage of {self.dtype.name}, {self.size()} elements]"


def storage(self):
    """The memory that this Tensor shares with its views, as a row of elements."""
    return Storage(self.array)


def storage_offset(self):
    """How many elements of the memory come before this Tensor's first."""
    owner = self.array if self.array.base is None else Storage(self.array)._owner
    return (address(self.array) - address(owner)) // self.array.itemsize


def untyped_storage(self):
    """The memory that this Tensor shares with its views, as a row of bytes."""
    return Storage(Storage(self.array)._row.view("uint8"))


for _method in (storage, storage_offset, untyped_storage):
    setattr(Tensor, _method.__name__, _method)
