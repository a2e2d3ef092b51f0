# examples/08_shared_exp.py: lesson 8: exp of a shared vector, a thousand times: which device computed it, and who owns the result.
# 08_shared_exp.cpp prints the same.
import numpy as np

import voxloom as vl

length = 10 * 30 * 768
iterations = 1000

values = np.arange(length, dtype="float32") / np.float32(length)
x = vl.shared(values, name="x")


def call_often(f):
    """The last result, and in how many different places the results of the calls lie."""
    places, result = set(), None
    for _ in range(iterations):
        result = None  # lets go of the one before
        result = f()
        places.add(result.ctypes.data)
    return result, len(places)


f = vl.function([], vl.exp(x))
steps = f.toposort()
print(*steps, sep="\n")
owned, _ = call_often(f)
print(f"{iterations} calls, result {owned[0]:.6f} {owned[1]:.6f} ... {owned[-1]:.6f}")
# What runs on a GPU begins with a copy of the data to it.
print("Used the gpu" if any("HostToDevice" in step for step in steps) else "Used the cpu")

# A borrowed result may lie where the one before lay; what somebody still holds is never written over.
borrowing = vl.function([], vl.Out(vl.exp(x), borrow=True))
borrowed, places = call_often(borrowing)
same = owned.tobytes() == borrowed.tobytes()
print(f"borrowed: {'the same' if same else 'other'} bits, {places} buffer for all calls")
following = borrowing()
apart = not np.shares_memory(following, borrowed)
print(f"while a result is held, the next one is written {'elsewhere' if apart else 'over it'}")

# A new value is seen by every function that reads the variable.
x.set_value(np.zeros(3, "float32"))
print("after set_value: {:g} {:g} {:g}".format(*f()))

assert len(steps) == 1 and places == 1 and same and apart
np.testing.assert_allclose(owned, np.exp(values.astype("float64")), rtol=1.2e-7)
