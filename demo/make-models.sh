#!/usr/bin/env bash
# Trains the demo models, speaks the demo calls, exports the repository and measures it. Resumable: run it again after any stop.
# Takes hours on two cores. Needs Debian's espeak-ng, flite, festival and festvox-kdlpc16k.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in espeak-ng flite festival; do
  command -v "$tool" >/dev/null || {
    echo "$tool is not installed, and the demo voices need it. Run: apt-get install espeak-ng flite festival festvox-kdlpc16k" >&2
    exit 6
  }
done
python=.venv-referee/bin/python
build=demo/build
"$python" -m pip --quiet --disable-pip-version-check install --requirement requirements/train.txt
"$python" -m demo.recipe.speech "$build/speech" --shards 42 --held-out-shards 2
"$python" -m demo.recipe.recogniser --speech "$build/speech" --work "$build/recogniser"
for model in punctuate sentiment; do
  test -f "$build/$model/held_out.md" || "$python" -m demo.recipe.text_models "$model" --output "$build/$model"
done
"$python" -m demo.recipe.calls
"$python" -m demo.recipe.word_times
mkdir -p demo/checkpoints
rm -rf demo/checkpoints/recogniser demo/checkpoints/punctuate demo/checkpoints/sentiment
cp -r "$build/recogniser/checkpoint" demo/checkpoints/recogniser
cp -r "$build/punctuate" "$build/sentiment" demo/checkpoints/
make repository
.venv/bin/python -m demo.recipe.evaluate "$build/speech" --output demo/build/held_out.md
