"""Callscope: recorded calls, measured.

`callscope.pipeline.analyze` turns a sound file into a `callscope.call.Call`, and `callscope.report.json.to_json` turns
that into JSON.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime from 1.29 on tells its maker what models are loaded

__version__ = "0.1.0"
