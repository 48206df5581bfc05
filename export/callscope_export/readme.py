"""The README of a model repository: the wire contract in words."""

from .contract import HEADS, SIZES, cell, contract_table

_README_TOP = """# Model repository

What Triton mounts: ONNX graphs and two ensembles, no code. `callscope export` writes everything here, this page
included; change the exporter, not the files. Shapes leave out the batch, which stands first in every request to a model
but the tokenizers.
"""

_README_NOTES = f"""
Meanings:

- `language`, `task`: a token id of the parameters `languages` and `tasks`; any other number, such as -1, lets the model
  detect the language, and transcribe. English-only checkpoints ignore both.
- `max_tokens`: the most text tokens of this row, at most `N`. `temperature`: 0 takes the most probable token, more
  samples; the same request gives the same sample, and another in the sixth decimal gives another.
- `tokens`: text tokens, then end-of-text up to `N`. `logprobs`: of each token among those that were allowed, without
  temperature; the first end-of-text keeps its own, later places hold 0.
- `chosen_language`: the language given or detected; -1 where the checkpoint is English-only. An input and an output of
  a graph cannot share the name `language`. `language_probability`: its share among all languages.
- `no_speech_probability`: of the no-speech token right after the start of the transcript.
- `alignment`: how much the decoder looked at each encoder position, 20 ms apart, when it was about to write each token,
  standardised over the tokens; the row after the last token is that of end-of-text, later rows hold 0. A request to
  `transcribe_words` has to ask for it; `transcribe` is for those who do not want it.
- `bytes`: `length` bytes of a tokenizer.json from `offset` on, fewer at its end; the parameter `size_bytes` tells its
  size.
- `states` are FP16 where the parameter `precision` is fp16.
- `punctuate` gives the `logits` of one label for each token, the mark after it. Where its parameter `heads` names
  outputs, it gives those instead: {cell(HEADS.outputs)}.
  `after` and `before` are indices into the parameters `labels` and `before_labels`, for the mark after a token and the
  mark before it; `upper` says of each character of a token, as the tokenizer writes it, whether it is a capital;
  `boundary` says whether a sentence ends with the token.

Each config.pbtxt pins the version it was written for, and its `parameters` describe the model: `contract`,
`sample_rate_hz`, `window_samples`, `hop_samples`, `mel_bins`, `languages`, `tasks`, `end_of_text`, `max_tokens`,
`tokenizer`, `labels`, `before_labels`, `heads`, `max_length`, `precision`, `source`, `revision`, `graph_sha256`. Read
them; assume nothing.
"""


def repository_readme() -> str:
    """Render the README of a model repository: the wire contract."""
    sizes = "\n".join(f"- `{name}`: {meaning}" for name, meaning in SIZES.items())
    return f"{_README_TOP}\n{contract_table()}\n\nSizes:\n\n{sizes}\n{_README_NOTES}"
