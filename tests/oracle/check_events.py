#!/usr/bin/env python3
"""Reads an event file of Varflow's with TensorFlow's and with TensorBoard's own readers, and prints what they saw.

python check_events.py FILE_OR_FOLDER, in an environment with TensorFlow 2.21 (TensorBoard comes with it). Exits with 1
where the two readers disagree on the number of values of a tag, or an image does not decode to its stated size.
"""
import glob
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

tf1 = tf.compat.v1
tf1.disable_v2_behavior()


def through_tensorflow(path, counts, errors):
    with tf1.Session() as session:
        for event in tf1.train.summary_iterator(path):
            if event.HasField("file_version"):
                print(f"version {event.file_version} at {event.wall_time}")
            for value in event.summary.value:
                kind = value.WhichOneof("value")
                counts[kind, value.tag] = counts.get((kind, value.tag), 0) + 1
                if kind == "image":
                    pixels = session.run(tf.io.decode_png(value.image.encoded_image_string))
                    if pixels.shape != (value.image.height, value.image.width, value.image.colorspace):
                        errors.append(f"image {value.tag}: {pixels.shape}")
                if kind == "histo" and sum(value.histo.bucket) != value.histo.num:
                    errors.append(f"histogram {value.tag}: buckets do not add up to {value.histo.num}")


def through_tensorboard(path, counts, errors):
    seen = EventAccumulator(path, size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    seen.Reload()
    tags = seen.Tags()
    for kind, field, read in (("scalars", "simple_value", seen.Scalars), ("histograms", "histo", seen.Histograms),
                              ("images", "image", seen.Images)):
        for tag in tags[kind]:
            events = read(tag)
            print(f"{kind[:-1]} {tag}: {len(events)} events, steps {events[0].step} to {events[-1].step}, last: {last(events[-1])}")
            if counts.pop((field, tag), 0) != len(events):
                errors.append(f"{kind} {tag}: the readers disagree")
    errors.extend(f"{kind} {tag}: not seen by TensorBoard" for kind, tag in counts)


def last(event):
    if hasattr(event, "value"):
        return f"{event.value:.6g}"
    if hasattr(event, "histogram_value"):
        h = event.histogram_value
        return f"min {h.min:.6g} max {h.max:.6g} num {h.num:.6g} sum {h.sum:.6g}, {len(h.bucket)} buckets"
    return f"{event.height} x {event.width}, {len(event.encoded_image_string)} bytes"


def main():
    path = sys.argv[1]
    files = sorted(glob.glob(os.path.join(path, "*tfevents*"))) if os.path.isdir(path) else [path]
    errors = [] if files else ["no event file in " + path]
    for file in files:
        counts = {}
        through_tensorflow(file, counts, errors)
        through_tensorboard(file, counts, errors)
    for error in errors:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
