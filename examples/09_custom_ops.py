# examples/09_custom_ops.py: lesson 9: ops of your own from Python: an expression in C's notation, and a function over NumPy arrays.
# 09_custom_ops.cpp prints the same.
import contextlib
import tempfile

import numpy as np

import voxloom as vl


def show(f, r):
    for step in f.toposort():
        print(step)
    print(f"  {r.shape[0]} x {r.shape[1]}: {r[0, 0]:g} {r[0, 1]:g} ... {r[-1, -1]:g}")


x = vl.fmatrix("x")
ones = np.ones((4, 5), dtype="float32")

# An expression becomes ops of the library: it fuses with what is around it, and its gradient is derived unless you give one.
double = vl.ElemwiseOp("double", c_code="2 * x")
f = vl.function([x], double(x))
show(f, f(ones))
assert np.allclose(f(ones), ones * 2)
f = vl.function([x], np.exp(double(x) - 2))
show(f, f(ones))
assert len(f.toposort()) == 1 and (f(ones) == 1).all()
assert (vl.grad((double(x) ** 2).sum(), x).eval({x: ones}) == 8).all()

# Several inputs, and a gradient of its own: g is the gradient of the cost with respect to the result, out the result.
soft = vl.ElemwiseOp("soft", "x > 0 ? x : a * expm1(x)", inputs=["x", "a"], grad=["x > 0 ? g : g * (out + a)", "0"])
np.testing.assert_allclose(soft(x, 0.5).eval({x: -ones}), 0.5 * np.expm1(-ones), rtol=1e-6)
assert (vl.grad(soft(x, 0.5).sum(), x).eval({x: ones}) == 1).all()


# A function of yours runs as a step of its own. It gets NumPy arrays in any layout; its gradient is a function of expressions.
def twice(a):
    return 2 * a


doubling = vl.HostOp("doubling", twice, grad=lambda x, g: 2 * g)
h = vl.function([x], doubling(x + 1), name="with a host function")
show(h, h(ones))
assert (h(ones) == 4).all() and (h(ones[::-1, ::2]) == 4).all()
assert (vl.grad(doubling(x).sum(), x).eval({x: ones}) == 2).all()

# What does not parse is refused with the column, on this line.
try:
    vl.ElemwiseOp("wrong", "2 ** x")
    raise SystemExit("a refusal was expected")
except vl.UserError as error:
    print("refused, as it should be:", str(error).split(" [at")[0])

# A saved function only names what runs on your machine, and is not loaded unless you allow it.
with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    h.save("h.vlf")
    try:
        vl.load_function("h.vlf")
        raise SystemExit("a refusal was expected")
    except vl.UserError as error:
        print("refused, as it should be:", str(error).split(" [at")[0])
    assert (vl.load_function("h.vlf", allow_native_ops=True)(ones) == 4).all()

# From here on Python only. An op that also has CUDA source, for machines with a GPU back end; here its function for the CPU runs.
source = """
__global__ void my_fct(float* i0, float* o0, int size) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < size) o0[i] = i0[i] * 2;
}"""
my_fct = vl.CudaOp(source=source, kernel="my_fct", block=(512, 1, 1), grid=(1, 1), host=twice, grad=lambda x, g: 2 * g)
assert np.allclose(vl.function([x], my_fct(x))(ones), ones * 2)

# What a function raises leaves the call with a note that names the op and your line.
fragile = vl.function([x], vl.HostOp("fragile", lambda a: a / 0 if a.size < 10 else 1 / 0)(x))
try:
    fragile(ones)
    raise SystemExit("an error was expected")
except ZeroDivisionError as error:
    assert "fragile" in error.__notes__[0] and "09_custom_ops.py" in error.__notes__[0]
