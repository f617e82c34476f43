"""The model process: llama.cpp's own server, for `sluice run` and containers: `python -m sluice_cli.llama_serve`.

Prints `READY http://127.0.0.1:PORT` once the model is loaded and answers; exits 1 when that fails.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence

from sluice_cli.model_sources import Source, SourceError, locate
from sluice_sidecar.parent import end_with_parent

PROMPT_CACHE_MIB = 256
"""Memory for prompts of earlier requests; llama.cpp's own default is 8 GiB."""

PING_SECONDS = 1
"""Between two comment lines on a waiting stream: a client that left is noticed, and a stop waits, at most that long."""

KV_TYPES = {"q8_0": 8, "q4_0": 2}
"""Number formats of the KV cache besides f16, by ggml's number."""

STOP_SECONDS = 8.0
"""After that a stop that hangs in the engine ends hard."""


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; exits with a message for a wrong one."""
    cli = argparse.ArgumentParser(prog="python -m sluice_cli.llama_serve", description="Serves one GGUF file.")
    where = cli.add_mutually_exclusive_group(required=True)
    where.add_argument("--model", help="GGUF file, or a folder with one")
    where.add_argument("--package", help="Python package that carries a GGUF file")
    cli.add_argument("--file", help="which of the package's GGUF files")
    cli.add_argument("--host", default="127.0.0.1", help="address to listen on")
    cli.add_argument("--port", type=int, default=0, help="0: a free one")
    cli.add_argument("--alias", required=True, help="model name that it answers with")
    cli.add_argument("--slots", type=int, default=4, help="sequences decoded at the same time")
    cli.add_argument("--context", type=int, default=2048, help="tokens of context of each slot")
    cli.add_argument("--threads", type=int, default=0, help="0: one a processor")
    cli.add_argument("--kv-cache", choices=("f16", *KV_TYPES), default="f16", help="number format of the KV cache")
    cli.add_argument("--no-prefix-cache", action="store_true", help="compute every prompt from its start")
    cli.add_argument("--ngram", type=int, default=0, help="guess ahead from repeats of so many tokens; 0: do not")
    cli.add_argument("--draft", type=int, default=5, help="tokens guessed at once")
    cli.add_argument("--parent", type=int, help="process that this one must not outlive")
    return cli.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM."""
    options = arguments(argv)
    if options.parent is not None:
        end_with_parent(options.parent)
    # libgomp reads it as it loads. Threads that spin at every barrier are three times slower where others need a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp as llama
    except ImportError as problem:
        sys.exit(f"llama.cpp is not installed ({problem}): pip install 'sluice-llm[llama]'")
    parameters = llama.CommonParams()
    parameters.model.path = _weights(options)
    parameters.model_alias = {options.alias}
    parameters.hostnames = [options.host]
    parameters.port = options.port
    parameters.n_parallel = options.slots
    parameters.n_ctx = options.context * options.slots  # the engine divides it among the slots
    threads = options.threads or len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.n_threads_http = options.slots * 4 + 4  # /health answers while requests queue for a slot
    parameters.endpoint_metrics = True
    parameters.endpoint_slots = True
    parameters.ui = False
    parameters.verbosity = 1
    parameters.cache_ram_mib = PROMPT_CACHE_MIB
    parameters.sse_ping_interval = PING_SECONDS
    if options.kv_cache in KV_TYPES:
        parameters.cache_type_k = parameters.cache_type_v = KV_TYPES[options.kv_cache]
    if options.no_prefix_cache:
        parameters.cache_prompt = False
    if options.ngram:
        parameters.speculative.types = [llama.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        parameters.speculative.ngram_simple.size_n = options.ngram
        parameters.speculative.ngram_simple.size_m = options.draft
    server = llama.Server(parameters)  # returns when it listens; RuntimeError otherwise. A signal until then ends us
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print("READY", server.listening_address, flush=True)
    stop.wait()
    end = threading.Timer(STOP_SECONDS, os._exit, (0,))
    end.daemon = True
    end.start()
    del server
    os._exit(0)  # the engine's threads own nothing that must be saved


def _weights(options: argparse.Namespace) -> str:
    """The GGUF file that the command line names; exits with a message when there is none."""
    source = Source("package", options.package, options.file) if options.package else Source("path", options.model)
    try:
        return str(locate(source))
    except SourceError as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
