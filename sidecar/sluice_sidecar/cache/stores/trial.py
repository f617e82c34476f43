"""Opens an edge store and looks at it: run as a program, in a child process, before the gateway does the same.

The engine maps its files into memory; a damaged one can make it panic, hang or kill the process. Here it may.
"""

import sys

OK, DAMAGED = 0, 3


def main(path: str) -> int:
    """OK, or DAMAGED with the reason on standard error."""
    from qdrant_edge import CountRequest, EdgeShard, QueryRequest, ScrollRequest

    try:
        shard = EdgeShard.load(path)
        shard.info()
        shard.count(CountRequest())
        shard.scroll(ScrollRequest(limit=4, with_payload=True, with_vector=True))
        shard.query(QueryRequest(limit=4))
        shard.close()
    except BaseException as error:  # a panic of the engine is no Exception
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return DAMAGED
    return OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
