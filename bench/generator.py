"""The checkpoint in transformers, writing by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from callscope_export.reference import Reference

Array = NDArray[Any]


class Generator(Reference):
    """The checkpoint in transformers, writing by itself."""

    def generated(self, states: Array, tokens: int) -> tuple[Array, Array]:
        """Detect the language, (rows, 1), and write with `generate`, (rows, tokens) filled up with end-of-text."""
        import torch  # noqa: PLC0415  loaded where it is used, as in Reference
        import transformers  # noqa: PLC0415  as above
        from transformers.modeling_outputs import BaseModelOutput  # noqa: PLC0415  as above

        transformers.logging.set_verbosity_error()

        prompt, encoded = self.settings.prompt, BaseModelOutput(last_hidden_state=torch.from_numpy(states))
        options: dict[str, Any] = {"return_timestamps": False, "max_new_tokens": tokens, "encoder_outputs": encoded}
        options |= {"task": "transcribe"} if prompt.tasks else {}
        with torch.inference_mode():
            text = self.model.generate(**options).numpy()
            language = np.full(len(states), -1)
            if prompt.languages:
                language = self.model.detect_language(encoder_outputs=encoded).numpy()
        filled = np.full((len(states), tokens), prompt.end_of_text)
        filled[:, : text.shape[1]] = text
        return language[:, np.newaxis], filled
