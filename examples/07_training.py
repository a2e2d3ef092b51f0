# examples/07_training.py: lesson 7: state. A logistic regression that trains and predicts: shared variables, updates that are all or nothing,
# many steps in one call, saved functions. 07_training.cpp prints the same.
import os
import tempfile

import numpy as np

import voxloom as vl

samples, features = 400, 784


def noise(count, first):
    """Numbers between -1 and 1 that look random."""
    h = (np.arange(first, first + count, dtype="uint32")) * np.uint32(0x9E3779B9)
    h = (h ^ h >> 15) * np.uint32(0x85EBCA6B)
    return ((h ^ h >> 13) >> 8).astype("float32") / np.float32(1 << 23) - np.float32(1)


def print_first(what, values):
    print(what, *values[:20].astype(int), "...")


X = noise(samples * features, 1).reshape(samples, features)
Y = (noise(samples, 1 << 20) > 0).astype("float32")

# w and b live between calls. Expressions of them see the value that they have when a function is called.
x, y = vl.matrix("x"), vl.vector("y")
w, b = vl.shared(noise(features, 1 << 21), name="w"), vl.shared(np.float32(0), name="b")
p = 1 / (1 + vl.exp(-vl.dot(x, w) - b))  # probability of a one
prediction = p > 0.5  # 0 or 1
xent = -y * vl.log(p) - (1 - y) * vl.log(1 - p)  # cross-entropy
cost = xent.mean() + 0.01 * (w**2).sum()
gw, gb = vl.grad(cost, [w, b])

# Both updates are computed from the old values and committed together when the call has succeeded.
train = vl.function([x, y], [prediction, xent], updates={w: w - 0.01 * gw, b: b - 0.01 * gb}, name="train")
predict = vl.function([x], prediction, name="predict")
steps = train.toposort()
readers = sum("(x" in step for step in steps)
print(f"{len(steps)} kernels, {readers} over x, forward and backward")

for _ in range(1000):
    train(X, Y)
train.repeat(9000, X, Y)  # update steps inside one call
print_first("target values", Y)
print_first("prediction   ", predict(X))
right = int((predict(X) == (Y > 0)).sum())
print(f"{right} of {samples} right")

# A saved function is its graph and the values of its variables; there is no code in the file.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "train.vlf")
    train.save(path)
    loaded = vl.load_function(path)
same = loaded(X, Y)[1].tobytes() == train(X, Y)[1].tobytes()
print(f"the loaded function goes on where this one is: {'yes' if same else 'no'}")
assert len(steps) == 2 and readers == 1 and right == samples and same
