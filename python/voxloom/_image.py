# python/voxloom/_image.py: images: lazy expressions with a grid, as files or arrays; saving by streaming.
"""Images."""

import os
import warnings

import numpy

from . import _core


class _Proxy:
    """What nibabel calls a dataobj: an array that is computed when it is indexed."""

    is_proxy = True

    def __init__(self, image):
        self._image = image

    @property
    def shape(self):
        return self._image.shape

    @property
    def ndim(self):
        return self._image.ndim

    @property
    def dtype(self):
        return self._image.dtype

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        return self._image.__array__(dtype)

    def __getitem__(self, key):
        part = None if self._image.in_memory else self._image[key]
        if part is None or isinstance(part, _core.MaskedChoice):
            return numpy.asarray(self._image)[key]
        return part.eval()

    def __repr__(self):
        return f"<dataobj of {self._image.path}>"


class _Slicer:
    """image.slicer[...]: the part of an image as a lazy expression whose header follows."""

    def __init__(self, image):
        self._image = image

    def __getitem__(self, key):
        items = key if isinstance(key, tuple) else (key,)
        for axis, item in enumerate(items):
            if axis < 3 and not isinstance(item, slice) and item is not Ellipsis:
                _core._fail("index", "slicer", f"axis {axis} is spatial and takes a slice, not {item!r}")
        return self._image[key]


class Image(_core._ImageBase):
    """An image: its voxels as a lazy expression with axes x y z t ..., with an affine and a header.

    Image(data, affine, header=None) makes one from an array (shared, not copied); open() reads the header of a file and nothing more. Images
    take part in every expression; operands that carry axis names align by name.
    dtype: that of the values: scaled integers are floatX (float64 from 32-bit integers on).
    Raises: UserError for an array of more than 7 axes or an affine that is not 4 x 4.

    Example:
        >>> img = vl.Image(np.arange(8, dtype="int16").reshape(2, 2, 2), np.eye(4))
        >>> float((img * 2).max().eval())
        14.0
    """

    def __init__(self, data, affine, header=None):
        if header is not None and not isinstance(header, _core.Header):
            header = _core.Header.from_bytes(bytes(header.binaryblock))
        super().__init__(data, affine, header)
        self._cache = None
        self._array = data

    @property
    def in_memory(self):
        """Whether the voxels are in memory: made from an array, or loaded."""
        return self._cache is not None or self._array is not None

    def load(self):
        """Reads the voxels into memory, once; np.asarray, get_fdata and dataobj then take them from there. Returns the image."""
        if self._cache is None:
            self._cache = self.eval()
        return self

    def uncache(self):
        """Forgets what load() or get_fdata() read."""
        self._cache = None

    def __array__(self, dtype=None, copy=None):
        value = self._cache if self._cache is not None else self.eval()
        if copy:
            return numpy.array(value, dtype=dtype)
        return value if dtype is None else value.astype(dtype, copy=False)

    def get_fdata(self, caching="fill", dtype=numpy.float64):
        """The values as floats, kept in memory for the next time unless caching is "unchanged".

        Raises: UserError for a dtype that is no float.

        Example:
            >>> vl.Image(np.ones((2, 2, 2), "int16"), np.eye(4)).get_fdata().dtype
            dtype('float64')
        """
        dtype = numpy.dtype(dtype)
        if dtype.kind != "f":
            _core._fail("dtype", "get_fdata", f"dtype {dtype} is no float")
        if caching not in ("fill", "unchanged"):
            _core._fail("usage", "get_fdata", f"caching = {caching!r} (allowed 'fill', 'unchanged')")
        if self._cache is not None and self._cache.dtype == dtype:
            return self._cache
        value = self.astype(dtype).eval()
        if caching == "fill":
            self._cache = value
        return value

    def get_data_dtype(self):
        """The dtype of the voxels as they are stored."""
        return self.header.get_data_dtype()

    @property
    def dataobj(self):
        """An array that is read when it is indexed: image.dataobj[..., 0] reads one volume."""
        return _Proxy(self)

    @property
    def slicer(self):
        """image.slicer[2:5, :, :, 0]: a part as a lazy expression; spatial axes take slices only, so that the affine can follow."""
        return _Slicer(self)

    def to_filename(self, path, **options):
        """Writes the image; see save()."""
        save(self, path, **options)

    def to_nibabel(self):
        """A nibabel image with the same grid whose voxels are read when nibabel or nilearn ask for them.

        Raises: ImportError without nibabel.
        """
        return _to_nibabel(self)

    def _repr_html_(self):
        from . import _html

        return _html.image(self)

    def __repr__(self):
        return f"<voxloom.Image {self.path} {self.shape} {self.dtype}>"

    def __reduce__(self):
        if self._array is not None:
            return _from_array, (numpy.asarray(self._array), self.affine, self.header.binaryblock)
        return open, (os.path.abspath(self.path),)


def _from_array(data, affine, header):
    return Image(data, affine, _core.Header.from_bytes(header))


def _to_nibabel(image):
    import nibabel

    header = image.header
    two = header.version == 2
    header_class = nibabel.Nifti2Header if two else nibabel.Nifti1Header
    image_class = nibabel.Nifti2Image if two else nibabel.Nifti1Image
    made = image_class(image.dataobj, image.affine, header_class(header.binaryblock))
    made.set_data_dtype(image.dtype)
    return made


def open(path, *, strict=False):
    """Opens .nii, .nii.gz, .hdr/.img: reads and checks the header, and nothing else.

    strict: what is wrong with the file but could be put right is an error instead of a warning.
    Raises: FileError (an OSError) where the system refuses, UserError (a ValueError) for a file that is no valid image.

    Example:
        >>> vl.save(vl.Image(np.ones((2, 2, 2), "float32"), np.eye(4)), "/tmp/voxloom_ones.nii")
        >>> vl.open("/tmp/voxloom_ones.nii").shape
        (2, 2, 2)
    """
    image = Image.__new__(Image)
    _core._ImageBase.__init__(image, os.fspath(path), strict)
    image._cache = image._array = None
    for text in image.warnings:
        warnings.warn(text, stacklevel=2)
    return image


def load(path, *, strict=False):
    """Another name of open(): nothing is read but the header, whatever the name says in other packages.

    Raises: as open().

    Example:
        >>> vl.load("/nowhere.nii")
        Traceback (most recent call last):
        voxloom._errors.FileError: ...
    """
    return open(path, strict=strict)


def _options(options):
    source = options.get("copy_header_from")
    if isinstance(source, _core._ImageBase):
        options["copy_header_from"] = source.path
    elif source is not None:
        options["copy_header_from"] = os.fspath(source)
    return options


def _image(value):
    if not isinstance(value, _core.Expr):
        _core._fail("dtype", "save", f"{type(value).__name__} is no image; make one with vl.Image(data, affine)")
    return value


def save_many(images, *, memory=None, threads=None, dtype=None, copy_header_from=None, fsync=True, clobber=True, gzip_level=None):
    """Computes and writes several images in one run: {path: image}; every file that is read is read as often as for one.

    The options are those of save(). Files appear under their names when all are complete.
    Raises: as save().

    Example:
        >>> img = vl.Image(np.ones((2, 2, 2), "float32"), np.eye(4))
        >>> vl.save_many({"/tmp/voxloom_a.nii": img + 1, "/tmp/voxloom_b.nii": img / 2})
    """
    options = _options(
        {
            "memory": memory,
            "threads": threads,
            "dtype": dtype,
            "copy_header_from": copy_header_from,
            "fsync": fsync,
            "clobber": clobber,
            "gzip_level": gzip_level,
        }
    )
    pairs = [(_image(value), os.fspath(path)) for path, value in images.items()]
    for text in _core._save(pairs, options):
        warnings.warn(text, stacklevel=2)


def save(image, path, **options):
    """Computes and writes an image, block by block: .nii, .nii.gz, .hdr/.img.

    memory: bytes (or "64M") for blocks and buffers. dtype: of the file (default: the computed one; "input": that of the image whose header is
    taken). copy_header_from: the image (or its path) that gives the header, by default the first one in the expression. fsync=False does not wait
    for the disk, clobber=False refuses to replace a file, gzip_level 0 to 9, threads. The file appears when it is complete. Ctrl-C stops it.
    Raises: UserError for an expression without image axes or grids that differ, FileError from the system, LimitError for a memory that
    cannot do.

    Example:
        >>> vl.save(vl.Image(np.ones((2, 2, 2), "float32"), np.eye(4)) / 2, "/tmp/voxloom_half.nii", memory="64M")
    """
    save_many({os.fspath(path): image}, **options)


def explain_save(image, path, **options):
    """How save() would go, as text: how often each file is read and why, the streamed axis, block size, predicted peak. Nothing is run.

    Raises: UserError for an expression without image axes or grids that differ.

    Example:
        >>> "predicted peak" in vl.explain_save(vl.Image(np.ones((2, 2, 2), "float32"), np.eye(4)), "/tmp/voxloom_half.nii")
        True
    """
    return _core._explain_save([(_image(image), os.fspath(path))], _options(dict(options)))
