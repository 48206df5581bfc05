"""The model repository, looked at before a server is started over it."""

from __future__ import annotations

from pathlib import Path

from callscope_server.errors import RepositoryInvalid


def check_repository(path: Path) -> Path:
    """The repository's absolute path.

    Raises:
        RepositoryInvalid: there is no such folder, it cannot be read, or no model is in it.
    """
    try:
        models = [each for each in path.iterdir() if (each / "config.pbtxt").is_file()]
    except OSError as error:
        raise RepositoryInvalid(
            f"The model repository {path} cannot be read: {error.strerror}. "
            f"Name a folder of models, each with its config.pbtxt."
        ) from error
    if not models:
        raise RepositoryInvalid(
            f"The model repository {path} holds no model. Name a folder of models, each with its config.pbtxt."
        )
    return path.resolve()
