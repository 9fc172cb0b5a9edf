# `make bench` measures, `make test` checks; each first makes .venv with exactly the packages of requirements.lock.
PYTHON ?= python3
READY := .venv/.ready

# The tests start the bench some hundred times; compiled modules spare each of these half a second of CPU time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: bench test lock

bench: $(READY)
	.venv/bin/python -m bench all

# Tests wait half of their time, so five workers share two cores, and with mypy, which looks at the code meanwhile; each
# has a database of its own. Files are taken in the order of tests/conftest.py, so that no long one is left for the end
# because it has few tests.
test: $(READY)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy & types=$$!; \
	.venv/bin/pytest --numprocesses 5 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types && exit $$tests

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.13" >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	.venv/bin/python -m compileall -qq -j 0 .venv/lib || true  # as pip would: what cannot be compiled is left as it is
	touch $@

# Pins the newest versions that pyproject.toml allows.
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --upgrade --quiet --custom-compile-command "make lock" --output-file requirements.lock
