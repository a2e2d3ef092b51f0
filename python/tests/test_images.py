# python/tests/test_images.py: images as expressions, their headers, saving, nibabel.
import pickle
import warnings

import numpy as np
import pytest

import voxloom as vl


@pytest.fixture
def series():
    return np.random.default_rng(2).integers(-100, 100, (5, 4, 3, 6)).astype("int16")


AFFINE = np.array([[-2.0, 0, 0, 10], [0, 2, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1]])


def test_an_array_as_image(series):
    img = vl.Image(series, AFFINE)
    assert img.shape == (5, 4, 3, 6) and img.ndim == 4 and img.dtype == "int16" and img.in_memory
    assert img.axes == ("x", "y", "z", "t") and isinstance(img, vl.Expr)
    np.testing.assert_array_equal(img.affine, AFFINE)
    assert img.header.get_zooms()[:3] == (2, 2, 3) and img.header["sform_code"] == 2
    np.testing.assert_array_equal(np.asarray(img), series)
    np.testing.assert_array_equal(np.asarray(vl.Image(series[::-1, ::2], AFFINE)), series[::-1, ::2])
    np.testing.assert_array_equal(np.asarray(vl.Image(series.astype(">i2"), AFFINE)), series)
    series[0, 0, 0, 0] = 77  # shared, not copied
    assert np.asarray(img)[0, 0, 0, 0] == 77
    with pytest.raises(vl.UserError):
        vl.Image(series, np.eye(3))


def test_save_open_round_trip(series, tmp_path):
    img = vl.Image(series, AFFINE)
    for name in ("a.nii", "a.nii.gz", "a.img"):
        path = tmp_path / name
        vl.save(img / 2, path, memory="64M")
        back = vl.open(path if name != "a.img" else tmp_path / "a.hdr")
        assert back.shape == img.shape and back.dtype == "float32" and not back.in_memory
        np.testing.assert_array_equal(np.asarray(back), series / np.float32(2))
        np.testing.assert_allclose(back.affine, AFFINE)
    img.to_filename(tmp_path / "b.nii", dtype="uint8")
    assert vl.load(tmp_path / "b.nii").get_data_dtype() == "uint8"


def test_zscore_by_axis_name(series, tmp_path):
    vl.save(vl.Image(series, AFFINE), tmp_path / "s.nii")
    a = vl.open(str(tmp_path / "s.nii"))
    z = (a - vl.mean(a, "t")) / vl.std(a, "t")
    expected = (series - series.mean(-1, keepdims=True)) / series.std(-1, keepdims=True)
    np.testing.assert_allclose(z.eval(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.asarray(np.mean(a, -1)), series.mean(-1), rtol=1e-6)
    vl.save_many({tmp_path / "z.nii": z, tmp_path / "m.nii": vl.mean(a, "t")})
    assert vl.open(tmp_path / "m.nii").shape == (5, 4, 3)
    assert "predicted peak" in vl.explain_save(z, tmp_path / "z.nii")


def test_slicing_moves_the_affine(series, tmp_path):
    img = vl.Image(series, AFFINE)
    part = img.slicer[1:4, ::2, :, 0]
    vl.save(part, tmp_path / "part.nii")
    back = vl.open(tmp_path / "part.nii")
    np.testing.assert_array_equal(np.asarray(back), series[1:4, ::2, :, 0])
    np.testing.assert_allclose(back.affine @ [0, 0, 0, 1], AFFINE @ [1, 0, 0, 1])
    with pytest.raises(IndexError):
        img.slicer[0]
    np.testing.assert_array_equal(img.dataobj[..., 2], series[..., 2])
    assert img.dataobj.shape == img.shape and np.asarray(img.dataobj).shape == img.shape


def test_loading_and_caching(series, tmp_path):
    vl.save(vl.Image(series, AFFINE), tmp_path / "s.nii", dtype="int16")
    img = vl.open(tmp_path / "s.nii")
    data = img.get_fdata()
    assert data.dtype == "float64" and img.in_memory and img.get_fdata() is data
    img.uncache()
    assert not img.in_memory and img.load() is img and img.in_memory
    assert img.get_fdata(caching="unchanged", dtype="float32").dtype == "float32"
    with pytest.raises(vl.DTypeError):
        img.get_fdata(dtype="int16")
    assert "5" in img._repr_html_() and "s.nii" in repr(img)
    again = pickle.loads(pickle.dumps(img))
    np.testing.assert_array_equal(np.asarray(again), series)
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(vl.Image(series, AFFINE)))), series)


def test_wrong_files(series, tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        vl.open("/nowhere/a.nii")
    (tmp_path / "text.nii").write_text("this is no image" * 40)
    with pytest.raises(ValueError, match="text.nii"):
        vl.open(tmp_path / "text.nii")
    img = vl.Image(series, AFFINE)
    with pytest.raises(OSError):
        vl.save(img, "/nowhere/out.nii")
    vl.save(img, tmp_path / "a.nii")
    with pytest.raises(OSError):
        vl.save(img, tmp_path / "a.nii", clobber=False)
    with pytest.raises(vl.UserError):
        vl.save(vl.constant(np.zeros(3)), tmp_path / "b.nii")
    with pytest.raises(TypeError):
        vl.save(series, tmp_path / "b.nii")
    with pytest.raises(TypeError):
        vl.save(img, tmp_path / "b.nii", nonsense=1)
    assert not (tmp_path / "b.nii").exists()


def test_nibabel(series, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    nibabel.save(nibabel.Nifti1Image(series, AFFINE), tmp_path / "n.nii.gz")
    img = vl.open(tmp_path / "n.nii.gz")
    np.testing.assert_array_equal(np.asarray(img), series)
    back = img.to_nibabel()
    assert nibabel.is_proxy(back.dataobj) and back.shape == img.shape
    np.testing.assert_array_equal(back.affine, img.affine)
    np.testing.assert_array_equal(back.get_fdata(), series)
    np.testing.assert_array_equal(np.asarray(back.slicer[..., 0:2].dataobj), series[..., :2])
    nibabel.save(back, tmp_path / "m.nii")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "m.nii").get_fdata(), series)
    like = vl.Image(series * 2, AFFINE, header=nibabel.load(tmp_path / "m.nii").header)
    assert like.header["dim"][:5] == [4, 5, 4, 3, 6]


def test_warnings_of_a_file(series, tmp_path):
    vl.save(vl.Image(series, AFFINE), tmp_path / "w.nii")
    data = bytearray((tmp_path / "w.nii").read_bytes())
    data[70:72] = (4).to_bytes(2, "little")
    data[72:74] = (8).to_bytes(2, "little")  # bitpix of int16 is 16
    (tmp_path / "w.nii").write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        img = vl.open(tmp_path / "w.nii")
    assert [str(w.message) for w in caught] == list(img.warnings)
    assert all(w.filename == __file__ for w in caught)
