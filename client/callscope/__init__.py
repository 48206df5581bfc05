"""Callscope: recorded calls, measured.

`callscope.pipeline.analyze` turns a sound file into a `callscope.call.Call`, and `callscope.report.json.to_json` turns
that into JSON.
"""

__version__ = "0.1.0"
