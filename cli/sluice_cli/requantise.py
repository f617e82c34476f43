"""Rewrites a GGUF file's matrices to another type, once, by `python -m sluice_cli.requantise`; prints its path.

A process of its own: for a few seconds it needs some times the model's size in memory. llama.cpp's own quantise
program is in no wheel, but ggml's kernels are exported by xllamacpp, and gguf reads and writes the container.
"""

import argparse
import ctypes
import fcntl
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xllamacpp.xllamacpp as engine
from gguf import GGML_QUANT_SIZES, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize
from numpy.typing import NDArray

from sluice_sidecar.parent import end_with_parent

FILE_TYPES = {"Q4_K": "MOSTLY_Q4_K_M", "Q5_K": "MOSTLY_Q5_K_M", "F32": "ALL_F32"}
"""Names of whole-file types that are not MOSTLY_ and the tensor type."""

PLAIN = frozenset({Type.F32, Type.F16, Type.BF16})
"""Types without blocks."""


def main(argv: Sequence[str] | None = None) -> None:
    """Prints `READY PATH`; exits 1 with one line when the file cannot be read or written."""
    cli = argparse.ArgumentParser(prog="python -m sluice_cli.requantise", description="Rewrites a GGUF file's type.")
    cli.add_argument("--source", type=Path, required=True)
    cli.add_argument("--type", required=True, help="ggml tensor type, such as F16 or Q8_0")
    cli.add_argument("--folder", type=Path, required=True, help="where the result is kept")
    cli.add_argument("--parent", type=int, help="process that this one must not outlive")
    options = cli.parse_args(argv)
    if options.parent is not None:
        end_with_parent(options.parent)
    try:
        print("READY", kept(options.source, options.type, options.folder), flush=True)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as problem:  # gguf's own errors for a damaged file
        sys.exit(f"cannot rewrite {options.source} to {options.type} in {options.folder}: {problem}")


def kept(source: Path, kind: str, folder: Path) -> Path:
    """FOLDER/SHA256-TYPE.gguf, made unless it is there; two processes make it once. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        name = f"{hashlib.file_digest(file, 'sha256').hexdigest()}-{kind}.gguf"
    result = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            fresh = folder / f"{name}.new"
            try:
                rewrite(source, fresh, kind)
                with fresh.open("rb") as file:
                    os.fsync(file.fileno())
                fresh.replace(result)
            finally:
                fresh.unlink(missing_ok=True)
    return result


def rewrite(source: Path, target: Path, kind: str) -> None:
    """Writes `source` with all matrices as `kind`; vectors (norms) stay F32, as llama.cpp wants them."""
    reader = GGUFReader(str(source))
    writer = GGUFWriter(str(target), reader.fields["general.architecture"].contents())
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in {"general.architecture", "general.file_type"}:
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], inner)
    writer.add_file_type(LlamaFileType[FILE_TYPES.get(kind, f"MOSTLY_{kind}")])
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        chosen = tensor_type(tensor.name, values.shape, Type[kind])
        if chosen == Type.F32:
            writer.add_tensor(tensor.name, values.astype(np.float32))
        elif chosen == Type.F16:
            writer.add_tensor(tensor.name, values.astype(np.float16))
        else:
            writer.add_tensor(tensor.name, _packed(values, chosen), raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensor_type(name: str, shape: Sequence[int], wanted: Any) -> Any:
    """What one tensor is rewritten to: llama.cpp's own fallbacks where the blocks do not fit its rows."""
    if len(shape) != 2:
        return Type.F32
    if wanted in PLAIN:
        return wanted
    if "token_embd" in name:
        return Type.Q8_0  # often the output head too
    if shape[-1] % GGML_QUANT_SIZES[wanted][0]:
        return {Type.Q4_K: Type.Q5_0, Type.Q5_K: Type.Q5_1}.get(wanted, Type.Q8_0)
    return wanted


def _packed(values: NDArray[Any], kind: Any) -> NDArray[np.uint8]:
    """A matrix's rows in blocks of `kind`, by ggml's kernel."""
    ggml = ctypes.CDLL(engine.__file__)
    quantise = ggml.ggml_quantize_chunk
    quantise.restype = ctypes.c_size_t
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    quantise.argtypes = [ctypes.c_int, pointer, pointer, count, count, count, pointer]
    (rows, columns), (block, size) = values.shape, GGML_QUANT_SIZES[kind]
    packed = np.empty((rows, columns // block * size), np.uint8)
    values = np.ascontiguousarray(values, np.float32)
    written = quantise(int(kind), values.ctypes.data, packed.ctypes.data, 0, rows, columns, None)
    if written != packed.nbytes:
        raise OSError(f"ggml wrote {written} bytes of {packed.nbytes}")
    return packed


if __name__ == "__main__":
    main()
