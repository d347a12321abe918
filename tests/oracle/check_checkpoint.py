"""Reads a checkpoint that Varflow wrote with TensorFlow, and compares it with the arrays beside it.

    VARFLOW_ORACLE_FOLDER=F build/release/tests/test_io --gtest_also_run_disabled_tests --gtest_filter='Oracle*'
    python tests/oracle/check_checkpoint.py F

For each PREFIX.index in the folder, every PREFIX.NAME.npy must equal the tensor NAME, read by tf.train.load_checkpoint
and by the op RestoreV2; "many/layerN" is the number N. The state file must name the newest checkpoint.
"""
import glob
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import ml_dtypes
import numpy as np
import tensorflow as tf


def same(array, expected):
    if expected.dtype.kind == "V":
        expected = expected.view(ml_dtypes.bfloat16)
    if expected.dtype.kind == "S":
        return array.shape == expected.shape and array.astype(object).tolist() == expected.astype(object).tolist()
    return array.dtype == expected.dtype and array.shape == expected.shape and array.tobytes() == expected.tobytes()


def check(prefix):
    reader = tf.train.load_checkpoint(prefix)
    dtypes = reader.get_variable_to_dtype_map()
    wrong = []
    arrays = sorted(glob.glob(glob.escape(prefix) + ".*.npy"))
    for path in arrays:
        name = path[len(prefix) + 1:-len(".npy")]
        expected = np.load(path)
        restored = tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=[name], shape_and_slices=[""],
                                        dtypes=[dtypes[name]])[0].numpy()
        if not same(np.asarray(reader.get_tensor(name)), expected) or not same(np.asarray(restored), expected):
            wrong.append(name)
    many = [name for name in dtypes if name.startswith("many/")]
    wrong += [name for name in many if int(reader.get_tensor(name)) != int(name[len("many/layer"):])]
    print("%s: %d tensors, %d arrays and %d numbers compared, wrong: %s" %
          (os.path.basename(prefix), len(dtypes), len(arrays), len(many), wrong or "none"))
    return not wrong and len(dtypes) == len(arrays) + len(many)


def main(folder):
    folder = os.path.abspath(folder)
    good = [check(path[:-len(".index")]) for path in sorted(glob.glob(os.path.join(folder, "*.index")))]
    latest = tf.train.latest_checkpoint(folder)
    print("latest:", latest)
    return bool(good) and all(good) and latest is not None


sys.exit(0 if main(sys.argv[1]) else 1)
