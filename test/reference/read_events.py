"""Prints what TensorBoard itself reads from the event files of a run.

    pip install tensorboard            # run with tensorboard 2.21.0
    python test/reference/read_events.py runs/<name>/tensorboard

Two readers: the one behind TensorBoard's pages (`plugin_event_accumulator`), which turns every
summary into a tensor, and the public `EventAccumulator`, which decodes them. Both check each
record's CRC, and both drop what a killed process wrote beyond the iteration a run went on from.
"""

import io
import sys

import tensorboard
from PIL import Image
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = sys.argv[1]
print(f"tensorboard {tensorboard.__version__}")

EVERYTHING = 0
events = EventAccumulator(
    folder, {"scalars": EVERYTHING, "images": EVERYTHING, "histograms": EVERYTHING}
).Reload()
tags = events.Tags()
for tag in tags["scalars"]:
    values = events.Scalars(tag)
    steps = [event.step for event in values]
    in_order = "each once, in order" if steps == list(range(len(steps))) else f"steps {steps}"
    print(f"scalar     {tag}: {len(values)} ({in_order}), last {values[-1].value:.6g}")
for tag in tags["images"]:
    images = events.Images(tag)
    sizes = {(i.width, i.height) + Image.open(io.BytesIO(i.encoded_image_string)).size for i in images}
    print(f"image      {tag}: steps {[i.step for i in images]}, (said, decoded) size {sizes}")
for tag in tags["histograms"]:
    histograms = events.Histograms(tag)
    last = histograms[-1].histogram_value
    mean = last.sum / last.num
    print(
        f"histogram  {tag}: steps {[h.step for h in histograms]}, last: {last.num:.0f} values from "
        f"{last.min:.3f} to {last.max:.3f}, mean {mean:.3f}, {len(last.bucket)} buckets "
        f"holding {sum(last.bucket):.0f}"
    )

pages = plugin_event_accumulator.EventAccumulator(folder).Reload()
for plugin in ("scalars", "images", "histograms"):
    print(f"the page of {plugin} shows: {', '.join(sorted(pages.PluginTagToContent(plugin)))}")
