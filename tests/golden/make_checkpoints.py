"""Writes tests/golden/checkpoints/ and tests/golden/npy/ with TensorFlow 2.21.0 and NumPy 2.4.6.

Run with Python in an environment that has TensorFlow; no arguments. Nothing in the files depends on chance, time or
place. Beside mixed.index lie the tensors of that checkpoint as .npy files, written by NumPy.
"""
import os
import shutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import ml_dtypes
import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKPOINTS = os.path.join(HERE, "checkpoints")
NPY = os.path.join(HERE, "npy")


def save(prefix, tensors, slices=None):
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=[name for name, _ in tensors],
                      shape_and_slices=slices or [""] * len(tensors), tensors=[value for _, value in tensors])


def mixed():
    """Every dtype that both sides have, scalars, empty tensors, strings; in no order of names."""
    numbers = {
        "float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16,
        "int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64,
        "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64,
    }
    values = {name: (np.arange(6).reshape(2, 3) * 5 + 1).astype(dtype) for name, dtype in numbers.items()}
    values["float32"] = np.array([[1.5, -2.25, 3e38], [np.inf, -0.0, 1e-45]], np.float32)
    values["int64"] = np.array([[-2**63, 2**63 - 1, -1]], np.int64)
    values["uint64"] = np.array([2**64 - 1, 1], np.uint64)
    values["bool"] = np.array([True, False, True])
    values["complex64"] = np.array([1 + 2j, -3.5j], np.complex64)
    values["complex128"] = np.array([[1 - 2j]], np.complex128)
    values["scalar"] = np.array(42.5, np.float64)
    values["empty"] = np.zeros([0, 4], np.float32)
    values["string_scalar"] = np.array(b"one")
    values["strings"] = np.array([b"", b"a\x00b", b"\xff\xfe", b"x" * 200]).reshape(2, 2)
    values["scope/with/slashes"] = np.array([7], np.int32)
    # SaveV2 writes data in the order it is given; the index is sorted.
    save(os.path.join(CHECKPOINTS, "mixed"), [(name, tf.constant(value)) for name, value in values.items()])
    for name, value in values.items():
        np.save(os.path.join(CHECKPOINTS, "mixed." + name.replace("/", ".") + ".npy"), value)


def with_quantized():
    """A quantized tensor beside a plain one."""
    q = tf.quantization.quantize(tf.constant([0.0, 1.0]), 0.0, 1.0, tf.qint8)[0]
    save(os.path.join(CHECKPOINTS, "quantized"), [("a", tf.constant([1.0, 2.0])), ("q", q)])


def partitioned():
    """p: Saver's own two parts along dimension 0; grid: four parts in two dimensions, and names that need escapes."""
    tf1 = tf.compat.v1
    whole = np.arange(10).reshape(5, 2).astype(np.float32)

    def initializer(shape, dtype, partition_info):
        row = partition_info.var_offset[0]
        return tf.constant(whole[row:row + shape[0]], dtype)

    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.get_variable("p", [5, 2], initializer=initializer,
                         partitioner=tf1.fixed_size_partitioner(2), use_resource=False)
        tf1.get_variable("plain", initializer=tf.constant([3.0]), use_resource=False)
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, os.path.join(CHECKPOINTS, "partitioned"), write_meta_graph=False,
                               write_state=False)
    grid = np.arange(100 * 3).reshape(100, 3).astype(np.int32)
    strings = np.array([b"a", b"bb", b"ccc"])
    parts = [("grid", "100 3 0,70:0,2", grid[:70, :2]), ("grid", "100 3 70,30:0,2", grid[70:, :2]),
             ("grid", "100 3 0,70:2,1", grid[:70, 2:]), ("grid", "100 3 70,30:2,1", grid[70:, 2:]),
             ("s", "3 0,1", strings[:1]), ("s", "3 1,2", strings[1:]),
             ("dash", "2 3 -:0,1", grid[:2, :1]), ("dash", "2 3 -:1,2", grid[:2, 1:3])]
    save(os.path.join(CHECKPOINTS, "grid"), [(name, tf.constant(value)) for name, _, value in parts],
         [spec for _, spec, _ in parts])
    save(os.path.join(CHECKPOINTS, "incomplete"), [("p", tf.constant(grid[:70]))], ["100 3 0,70:0,3"])


def sharded():
    """Two bundles merged into one of two shards, a partitioned tensor across them."""
    temp = os.path.join(CHECKPOINTS, "sharded_temp")
    prefixes = [os.path.join(temp, "part-%05d-of-00002" % i) for i in range(2)]
    save(prefixes[0], [("a", tf.constant([1.0, 2.0])), ("p", tf.constant([[1, 2]]))], ["", "2 2 0,1:0,2"])
    save(prefixes[1], [("b", tf.constant(["x", "yy"])), ("p", tf.constant([[3, 4]]))], ["", "2 2 1,1:0,2"])
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes, destination_prefix=os.path.join(CHECKPOINTS, "sharded"),
                                  delete_old_dirs=True)


def npy():
    def save_as(name, array, version=(1, 0), **options):
        with open(os.path.join(NPY, name + ".npy"), "wb") as file:
            np.lib.format.write_array(file, array, version=version, **options)

    grid = np.arange(6).reshape(2, 3)
    save_as("float", grid.astype("<f4"))
    save_as("fortran", np.asfortranarray(np.arange(24).reshape(2, 3, 4).astype("<f8")))
    save_as("big_endian", grid.astype(">i4"))
    save_as("big_endian_complex", np.array([1 + 2j, 3 - 4j]).astype(">c16"))
    save_as("big_endian_fortran", np.asfortranarray(grid.astype(">u2")))
    save_as("version2", grid.astype("<i2"), version=(2, 0))
    save_as("version3", grid.astype("<i8"), version=(3, 0))
    save_as("scalar", np.array(2.5))
    save_as("empty", np.zeros((3, 0, 2), "<f2"))
    save_as("bool", np.array([True, False]))
    save_as("bytes", np.array([b"ab", b"c", b""]))
    save_as("text", np.array(["ab", "\u00e9\u20ac\U0001f600", ""]).astype(">U3"))
    save_as("records", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
    save_as("object", np.array([None]), allow_pickle=True)


for folder in (CHECKPOINTS, NPY):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
mixed()
with_quantized()
partitioned()
sharded()
npy()
