# examples/10_matrices.py: lesson 10: matrices: products element by element, two results of one kernel, arguments in any layout.
# 10_matrices.cpp prints the same.
import numpy as np

import voxloom as vl


def count_from(first, rows, columns):
    return np.arange(first, first + rows * columns, dtype="float32").reshape(rows, columns)


def show(what, f, r):
    print(f"{what:6} {' '.join(f.toposort())}: {r.shape[0]} x {r.shape[1]}, {r[0, 0]:g} {r[0, 1]:g} ... {r[-1, -1]:g}")


x, y = vl.fmatrices("x", "y")
a, b = count_from(1, 20, 10), count_from(200, 20, 10)

# Twice each element, of 4 x 5 and of 20 x 10: one function serves every size.
twice = vl.function([x], 2 * x)
ones = np.ones((4, 5), dtype="float32")
assert np.allclose(twice(ones), ones * 2)
show("2*x", twice, twice(ones))
assert (twice(a) == 2 * a).all()
show("2*x", twice, twice(a))

product = vl.function([x, y], x * y)
show("x*y", product, product(a, b))
assert (product(a, b) == a * b).all()

# Both results need the same elements: one kernel reads x and y once and writes both.
both = vl.function([x, y], [x + y, x - y])
total, difference = both(a, b)
show("x+y", both, total)
show("x-y", both, difference)
assert len(both.toposort()) == 1 and (total == a + b).all() and (difference == a - b).all()

# Every second column of the rows from last to first, and a transposed matrix: read where they lie, nothing is copied.
strided, transposed = a[::-1, ::2], count_from(0, 5, 20).T
show("x+y", both, both(strided, transposed)[0])
assert (both(strided, transposed)[0] == strided + transposed).all()
memory = both.memory(strided, transposed)
print(f"bytes of results {memory.outputs}, of temporaries {memory.temporaries}")
assert memory.temporaries == 0
