"""A peer of the benchmark: our exported generators, run by OpenVINO or ONNX Runtime for Python.

`load` names a folder with teacher.onnx, student.onnx and the arrays that `bench/peers/arrays.ts`
writes.
"""

import importlib
import json
import math
from pathlib import Path
from typing import Callable

import numpy
from contestant import Workloads, answer_commands, thread_words

Run = Callable[[dict[str, numpy.ndarray]], numpy.ndarray]


def read_inputs(folder: Path) -> dict[str, numpy.ndarray]:
    """Latents as `z`, noise maps as `noise_0`, ..."""
    index = json.loads((folder / "index.json").read_text())
    data = numpy.fromfile(folder / "data.bin", dtype=numpy.float32)
    names = {entry["name"]: entry for entry in index["arrays"]}
    given = {name: name.replace("/", "_") for name in names if name.startswith("noise/")}
    given["images/z"] = "z"
    made = {}
    for name, port in given.items():
        shape, offset = names[name]["shape"], names[name]["offset"]
        made[port] = data[offset : offset + math.prod(shape)].reshape(shape)
    return made


def open_in_onnxruntime(file: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    wanted = {port.name for port in session.get_inputs()}
    return lambda inputs: session.run(["image"], {k: v for k, v in inputs.items() if k in wanted})[0]


def open_in_openvino(file: Path, threads: int) -> Run:
    import openvino

    hints = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = openvino.Core().compile_model(file, "CPU", hints).create_infer_request()
    wanted = {port.any_name for port in request.model_inputs}
    return lambda inputs: request.infer({k: v for k, v in inputs.items() if k in wanted}, share_inputs=True, share_outputs=True)[0]


RUNTIMES = {"onnxruntime": open_in_onnxruntime, "openvino": open_in_openvino}


def begin(load: dict) -> tuple[str, Workloads]:
    """The name of what is loaded, and its workloads; none without a folder."""
    threads = load["threads"]
    library = importlib.import_module(load["runtime"])
    name = f"{load['runtime']} {library.__version__} for Python, {thread_words(threads)}"
    if "folder" not in load:
        return name, {}
    folder = Path(load["folder"])
    inputs = read_inputs(folder)
    opened: dict[str, Run] = {}

    def image(which: str) -> float:
        if which not in opened:
            opened[which] = RUNTIMES[load["runtime"]](folder / f"{which}.onnx", threads)
        return float(opened[which](inputs).mean(dtype=numpy.float64))

    return name, {f"{which} image": lambda which=which: image(which) for which in ("teacher", "student")}


if __name__ == "__main__":
    answer_commands(begin)
