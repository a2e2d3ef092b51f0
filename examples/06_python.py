# examples/06_python.py: lesson 6: the same from Python: NumPy arrays in and out, shared variables, several results from one kernel.
import numpy as np

import voxloom as vl

# Operators and NumPy's own functions build a graph; function() compiles it. Results are NumPy arrays.
x = vl.matrix("x")
double = vl.function([x], 2 * x)
a = np.arange(20, dtype="float32").reshape(4, 5)
print(double(a))
assert (double(a) == 2 * a).all()

# Any layout is read where it is: backwards, transposed, big-endian, read-only.
assert (double(a[::-1, ::2].T) == 2 * a[::-1, ::2].T).all()
assert (double(a.astype(">f4")) == 2 * a).all()

# A shared variable lives between calls. A borrowed result may lie in the memory of the last one, unless somebody still holds that.
v = vl.shared(np.linspace(0, 1, 10_000).astype("float32"), name="v", borrow=True)
f = vl.function([], vl.Out(vl.exp(v), borrow=True))
np.testing.assert_allclose(f(), np.exp(v.get_value()), rtol=3e-7)
print("computed by", f.toposort())

# Two results, one kernel, one pass over the arguments.
p, q = vl.vectors("p", "q")
both = vl.function([p, q], {"sum": p + q, "difference": p - q}, name="both")
assert len(both.toposort()) == 1
result = both([1, 2, 3], q=[3, 2, 1])
print(result)
assert result["sum"].tolist() == [4, 4, 4] and result["difference"].tolist() == [-2, 0, 2]

# Updates replace shared variables when the call has succeeded.
count = vl.shared(np.int64(0), name="count")
step = vl.function([p], p.sum(), updates={count: count + 1})
for _ in range(3):
    step([1, 2])
assert count.get_value() == 3

# What does not fit is an error of Python's class that names the argument, both facts and the line of yours.
try:
    double(np.zeros((2, 2)))
except TypeError as error:
    print("refused, as it should be:", error)
