"""The memory under a Tensor, as far as programs ask for it."""

from ..arrays import address


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

    def offset(self, array):
        """How many elements come before the first of an array in this memory."""
        return (address(array) - address(self._owner)) // array.itemsize

    def untyped(self):
        """This memory as a row of bytes."""
        return Storage(self._row.view("uint8"))

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
