#!/usr/bin/env python3
"""Event files of real TensorFlow, for tests/io/events_test.cpp and tests/io/histogram_test.cpp.

Run with TensorFlow 2.21: python make_events.py. Writes into the folder events/ beside this file:
  values.txt         a line for each histogram: name, dtype, values (hexadecimal floating point)
  histograms.tfevents  the summary op's HistogramProto of each line, step = number of the line
  writer.tfevents    scalars and an image, through tf1.summary.FileWriter
"""
import glob
import os
import struct
import sys
import tempfile
import zlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_v2_behavior()
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "events")


def limits():
    """The edges of the buckets, as far as they are interesting: the smallest, some of the middle, the largest."""
    v, all_limits = 1e-12, []
    while v < 1e20:
        all_limits.append(v)
        v *= 1.1
    return all_limits[:4] + all_limits[280:310] + all_limits[-4:]


def cases():
    rng = np.random.RandomState(3)
    edges = np.array(limits())
    yield "zeros", np.zeros(5, np.float32)
    yield "empty", np.zeros(0, np.float32)
    yield "one", np.array([1], np.float32)
    yield "negatives", np.array([-1, -2, -2, -3.5, -1e-3], np.float32)
    yield "mixed", np.array([-2, -1, 0, 0, 1e-14, -1e-14, 0.5, 0.5, 0.5, 3], np.float32)
    yield "huge", np.array([3.4028234663852886e38, -3.4028234663852886e38, 1e20, 2e30, -1e20, 1e19], np.float32)
    yield "huge_double", np.array([1e300, -1e300, 1.5e150, 1e-300], np.float64)
    yield "edges", np.concatenate([edges, -edges])
    yield "below_edges", np.concatenate([np.nextafter(edges, 0), -np.nextafter(edges, 0)])
    yield "above_edges", np.concatenate([np.nextafter(edges, 1e300), -np.nextafter(edges, 1e300)])
    yield "integers", np.array([-7, -1, 0, 1, 2, 2, 100000], np.int32)
    yield "normal", rng.normal(0, 0.1, 500).astype(np.float32)
    yield "denormal", np.array([1e-45, -1e-45, 1e-39], np.float32)


def only_file(folder):
    (path,) = glob.glob(os.path.join(folder, "events.out.tfevents.*"))
    with open(path, "rb") as f:
        return f.read()


def records(data):
    at = 0
    while at < len(data):
        (n,) = struct.unpack("<Q", data[at:at + 8])
        yield data[at:at + 16 + n]
        at += 16 + n


def save(name, data):
    """Without the first record: it names TensorFlow's own writer."""
    with open(os.path.join(FOLDER, name), "wb") as f:
        f.write(b"".join(list(records(data))[1:]))


def png():
    """An RGB image, 2 rows of 3 pixels."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"\0" + bytes(range(9)) + b"\0" + bytes(range(200, 209))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    assert tf.__version__.startswith("2.21"), tf.__version__
    os.makedirs(FOLDER, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(FOLDER, "values.txt"), "w") as text:
        writer = tf1.summary.FileWriter(folder)
        with tf1.Session() as session:
            for step, (name, values) in enumerate(cases()):
                text.write(" ".join([name, values.dtype.name] + [float(v).hex() for v in values]) + "\n")
                summary = session.run(tf1.summary.histogram(name, tf.constant(values)))
                writer.add_summary(without_metadata(summary), step)
        writer.close()
        save("histograms.tfevents", only_file(folder))
    with tempfile.TemporaryDirectory() as folder:
        writer = tf1.summary.FileWriter(folder)
        def scalar(value):
            return tf1.Summary(value=[tf1.Summary.Value(tag="loss", simple_value=value)])
        writer.add_summary(scalar(0.75), 1)
        writer.add_summary(scalar(0), 0)
        writer.add_summary(scalar(float("nan")), 3_000_000_000)
        writer.add_summary(scalar(-1.5), -1)
        image = tf1.Summary.Image(height=2, width=3, colorspace=3, encoded_image_string=png())
        writer.add_summary(tf1.Summary(value=[tf1.Summary.Value(tag="conv1/kernel", image=image)]), 7)
        writer.close()
        save("writer.tfevents", only_file(folder))


def without_metadata(serialized):
    """TensorFlow adds an empty display name and the like to the first value of a tag; only the histogram is compared."""
    summary = tf1.Summary.FromString(serialized)
    for value in summary.value:
        value.ClearField("metadata")
    return summary


if __name__ == "__main__":
    sys.exit(main())
