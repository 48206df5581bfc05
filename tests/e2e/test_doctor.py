"""`callscope doctor` on the machine that runs the tests: it can run them, so it must be found well."""

from __future__ import annotations

import json

from .running import Cli

CHECKS = ("python", "tritonserver", "libpython", "numpy", "shared memory", "disk", "gpu", "ports", "repository")


def test_this_machine_is_found_fit(callscope: Cli) -> None:
    ended = callscope("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(ended.stdout)}
    wrong = {name: finding["detail"] for name, finding in findings.items() if not finding["ok"]}
    somebody_serves = wrong.pop("ports", "")  # on Triton's usual ports, which is no fault of this machine
    assert wrong == {}
    assert set(CHECKS) <= set(findings)
    assert (ended.code, ended.stderr, ended.left) == (6 if somebody_serves else 0, "", ())
