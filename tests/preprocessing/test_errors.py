from __future__ import annotations

import inspect

from callscope_preprocessing import errors
from callscope_preprocessing.errors import AudioError


def test_every_error_is_an_audio_error_with_exit_code_3_and_stands_in_the_tree() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    assert len(classes) > 5
    for kind in classes:
        assert issubclass(kind, AudioError)
        assert issubclass(kind, ValueError)
        assert kind.exit_code == 3
        assert errors.__doc__
        assert kind.__name__ in errors.__doc__
