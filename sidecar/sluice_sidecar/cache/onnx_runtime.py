"""The ONNX runtime, without the telemetry that it sends to its maker unless told otherwise (from release 1.29 on)."""

import os
from types import ModuleType

SWITCH = "ORT_DISABLE_TELEMETRY"


def runtime() -> ModuleType:
    """The module `onnxruntime`, silent. Import it from nowhere else. Raises ImportError.

    The variable must stand before the library is loaded; the call is for what looks later.
    """
    os.environ[SWITCH] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    loaded: ModuleType = onnxruntime
    return loaded
