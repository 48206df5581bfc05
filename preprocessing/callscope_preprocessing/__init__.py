"""Sound of a recorded call, made ready for recognition: decoded, split, and cut into windows of speech."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime from 1.29 on tells its maker what models are loaded
