"""Prints what TensorFlow's kernels give at NaN, signed zeros and out-of-range numbers: the values quoted in tests/cpu.

Run with TensorFlow 2.21 (CPU): python elementwise_edges.py
"""
import numpy as np
import tensorflow as tf

ops = tf.raw_ops
nan = np.float32("nan")


def binary(name, pairs, names=("x", "y")):
    op = getattr(ops, name)
    print(name, [float(op(**{names[0]: np.float32(a), names[1]: np.float32(b)})) for a, b in pairs])


for name in ("Maximum", "Minimum"):
    binary(name, [(nan, 1), (1, nan), (-0.0, 0.0), (0.0, -0.0)])
for name in ("ReluGrad", "Relu6Grad"):
    binary(name, [(-1, -1), (nan, -1), (2, nan), (2, 3), (-1, 7), (2, 0)], ("gradients", "features"))
binary("FloorMod", [(5.5, -2), (-5.5, 2), (-0.0, 3), (4, -2), (5, np.inf), (-5, np.inf)])
binary("FloorDiv", [(5.5, -2), (-5.5, 2), (1, 0)])
for name in ("Xlogy", "MulNoNan", "DivNoNan"):
    binary(name, [(0, nan), (nan, 0)])
print("Sign", [float(ops.Sign(x=np.float32(v))) for v in (nan, -0.0, -2, 3)])
print("Relu", [float(ops.Relu(features=np.float32(v))) for v in (nan, -0.0, -2, 3)])
print("Rint", [float(ops.Rint(x=np.float32(v))) for v in (0.5, 1.5, -0.5, 2.5)])
print("LeftShift", ops.LeftShift(x=np.int32([1, 1, 1]), y=np.int32([-1, 32, 40])).numpy())
print("RightShift", ops.RightShift(x=np.int32([-8, 8, 8]), y=np.int32([-1, 32, 40])).numpy())
print("FloorDiv int", ops.FloorDiv(x=np.int32([-7, 7, 7]), y=np.int32([2, -2, 2])).numpy())
print("FloorMod int", ops.FloorMod(x=np.int32([-7, 7, 7]), y=np.int32([2, -2, 2])).numpy())
print("TruncateDiv", ops.TruncateDiv(x=np.int32([-7, 7]), y=np.int32([2, -2])).numpy())
print("TruncateMod", ops.TruncateMod(x=np.int32([-7, 7]), y=np.int32([2, -2])).numpy())
for values in ([1, nan, 3], [nan, 1, 3], [1, 3, 3, nan], [nan, nan], [3, 3]):
    x = np.float32(values)
    print("ArgMax, ArgMin, Max, Min of", values, int(ops.ArgMax(input=x, dimension=0)), int(ops.ArgMin(input=x, dimension=0)),
          float(ops.Max(input=x, axis=[0])), float(ops.Min(input=x, axis=[0])))
print("Mean int", ops.Mean(input=np.int32([-3, -4, 0]), axis=[0]).numpy())
x = np.float32([3e9, -3e9, nan, 300.7, -1.5, 70000, 1e19, 1e20])
for to in (tf.uint8, tf.int8, tf.int16, tf.uint16, tf.int32, tf.uint32, tf.int64, tf.uint64, tf.bool):
    print("Cast to", to.name, ops.Cast(x=x, DstT=to).numpy().tolist())
