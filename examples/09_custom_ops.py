# examples/09_custom_ops.py: lesson 9: ops of your own from Python: an expression in C's notation, and a function over NumPy arrays.
import numpy as np

import voxloom as vl

x = vl.fmatrix("x")
ones = np.ones((4, 5), dtype="float32")

# An expression becomes ops of the library: it fuses with what is around it, and its gradient is derived unless you give one.
double = vl.ElemwiseOp("double", c_code="2 * x", grad="2 * g")
f = vl.function([x], double(x))
print(f(ones))
assert np.allclose(f(ones), ones * 2)
assert len(vl.function([x], np.exp(double(x) - 2)).toposort()) == 1
assert (vl.grad(double(x).sum(), x).eval({x: ones}) == 2).all()

soft = vl.ElemwiseOp("soft", "x > 0 ? x : a * expm1(x)", inputs=["x", "a"])
np.testing.assert_allclose(soft(x, 0.5).eval({x: -ones}), 0.5 * np.expm1(-ones), rtol=1e-6)


# A function of yours runs between kernels. It gets NumPy arrays; its gradient is a function of expressions.
def twice(a):
    return 2 * a


double_array = vl.HostOp("double_array", twice, grad=lambda x, g: 2 * g)
h = vl.function([x], double_array(x + 1))
print(h.toposort())
assert (h(ones) == 4).all()
assert (h(ones[::-1, ::2]) == 4).all()

# One that also has CUDA source, for machines with a GPU back end; here its function for the CPU runs.
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
except ZeroDivisionError as error:
    print("passed on:", error, error.__notes__[0].split(" [at")[0])

# What does not parse is refused with the column.
try:
    vl.ElemwiseOp("wrong", "2 ** x")
except vl.UserError as error:
    print("refused, as it should be:", str(error).split(" [at")[0])
