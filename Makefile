# make run     installs what is missing and starts the camera; ARGS="…" passes options on
# make train   installs what training needs and runs the trainer; ARGS="…" are its command and options
# make test    installs what is missing and runs the tests; ARGS="…" likewise
# make test-clients  installs OBS and a screen that nobody sees, and tries the camera with a real OBS; pictures to look at come into build/
# make test-faults  breaks everything that can break while the camera runs, and looks for pixels of the webcam in all that leaves
# make check   ruff and mypy
# make audit   looks the locked packages up in PyPI's advisories; needs the network
# make lock    writes requirements/*.txt and THIRD_PARTY.md anew, with the newest releases that pyproject.toml allows
# make wheels  looks whether every supported Python and system has wheels of the locked packages
# make package  builds sdist and wheel into dist/, and runs the wheel in an empty environment
# make site    builds the documentation's pages into site/
# make clean   removes all that make has put into this folder
#
# On Debian and Ubuntu nothing but make must be there. System packages come through apt-get; all else goes into .venv.
.PHONY: run train test test-clients test-faults check audit lock wheels package site clean system
PYTHON := python3
BIN := .venv/bin
UV := .venv/.uv/bin/uv
export PIP_DISABLE_PIP_VERSION_CHECK = 1

run: .venv/.run
	@$(BIN)/python -m vcam run $(ARGS)

train: .venv/.train
	@$(BIN)/python -m trainer $(ARGS)

# Tests run in as many processes as there are CPUs, four at most: each takes a gigabyte.
test: .venv/.dev
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal $(ARGS)

# Without any network but the loopback's: OBS's server listens on every address.
CLIENTS := obs-studio xvfb iproute2
LOOPBACK_ONLY := unshare --map-root-user --net sh -c 'ip link set lo up && exec "$$@"' sh

test-clients: .venv/.dev
	@if ! { command -v obs && command -v Xvfb && command -v ip; } > /dev/null; then \
	    if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
	    $$root $(APT_GET) update && $$root $(APT_GET) install --no-install-recommends $(CLIENTS); \
	fi
	$(LOOPBACK_ONLY) $(BIN)/python -m pytest -m clients tests/clients $(ARGS)

test-faults: .venv/.dev
	$(BIN)/python -m pytest -m faults tests/faults $(ARGS)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# No part of check, which works without a network: advisories are of use only when they are of today.
AUDIT := .venv/.audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement

audit: .venv/.audit
	$(AUDIT) requirements/run.txt
	$(AUDIT) requirements/dev.txt

.venv/.audit: | .venv/.python
	$(BIN)/python -m venv $@ && $@/bin/python -m pip install --quiet "pip-audit>=2.10,<3"

# What is locked is installed by hash and without what it demands: requirements/unused.txt names what is left out, and why. Python
# compiles the modules that are used when they are used; the others would be as large again.
LOCKED := -m pip install --no-deps --no-compile --require-hashes --requirement
COMPILE := $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
    --custom-compile-command "make lock" pyproject.toml

lock: .venv/.dev $(UV)
	$(COMPILE) --excludes requirements/unused.txt --output-file requirements/run.txt
	$(COMPILE) --extra dev --extra c2pa --extra keys --excludes requirements/unlocked.txt --constraints requirements/run.txt --output-file requirements/dev.txt
	$(MAKE) .venv/.dev
	$(BIN)/python scripts/third_party.py > THIRD_PARTY.md

wheels: $(UV)
	"$(PYTHON)" scripts/wheels.py $(UV)

package: .venv/.build
	$(BIN)/python scripts/package.py .venv/.build/bin/python dist

.venv/.build: | .venv/.python
	$(BIN)/python -m venv $@ && $@/bin/python -m pip install --quiet "build>=1.3,<2"

site: .venv/.site
	.venv/.site/bin/python -m mkdocs build --strict

.venv/.site: | .venv/.python
	$(BIN)/python -m venv $@ && $@/bin/python -m pip install --quiet "mkdocs>=1.6,<2" "mkdocs-material>=9.6,<10"

clean:
	rm -rf .venv build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache

define PRECOMPILE
@echo "Compiling for this processor, so that the first start need not."
-@$(BIN)/python -m vcam edit --yaw-deg 20 --out .venv/first.png
endef

# The stamps .python, .run, .train and .dev say which step is done; a changed pyproject.toml repeats the last one.
.venv/.run: pyproject.toml requirements/run.txt | .venv/.python
	@echo "Installing HifiHead Cam into .venv; the first time this takes some minutes."
	$(BIN)/python $(LOCKED) requirements/run.txt
	$(BIN)/python -m pip install --no-deps --editable .
	$(PRECOMPILE)
	@touch $@

.venv/.dev: pyproject.toml requirements/dev.txt | .venv/.python
	@echo "Installing HifiHead Cam and its tools into .venv; the first time this takes some minutes."
	$(BIN)/python $(LOCKED) requirements/dev.txt
	$(BIN)/python -m pip install --editable '.[dev]'
	$(PRECOMPILE)
	@touch $@ .venv/.run

# On Linux PyPI's PyTorch brings several gigabytes for NVIDIA's GPUs. Where there is none, PyTorch's own index has a build for
# CPUs, which pip prefers when it can reach that index; when not, PyPI's is taken.
TORCH_INDEX := https://download.pytorch.org/whl/cpu

.venv/.train: pyproject.toml | .venv/.python
	@echo "Installing the trainer into .venv; the first time this takes some minutes."
	@if [ "$$(uname)" = Linux ] && ! nvidia-smi > /dev/null 2>&1; then \
	    $(BIN)/python -m pip install --no-deps --retries 1 --timeout 10 --extra-index-url $(TORCH_INDEX) \
	        "$$(sed -n 's/^train = .*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)"; \
	fi
	$(BIN)/python -m pip install --editable '.[train]'
	@touch $@ .venv/.run

SUITED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

# Where no suited Python is installed (Ubuntu 22.04), uv fetches one, into .venv too.
.venv/.python:
	@$(MAKE) --no-print-directory system
	@for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11; do \
	    if "$$python" -c '$(SUITED)' 2> /dev/null; then "$$python" -m venv .venv && touch $@; exit; fi; \
	done; \
	echo "Python 3.11, 3.12, 3.13 or 3.14 is needed and not here: fetching 3.13."; \
	$(MAKE) --no-print-directory $(UV) && \
	UV_PYTHON_INSTALL_DIR=.venv/.uv/pythons $(UV) venv --python 3.13 --seed --allow-existing .venv && touch $@ || \
	{ echo "That failed. Install Python 3.11, 3.12, 3.13 or 3.14 and name it: make run PYTHON=python3.13" >&2; exit 1; }

$(UV):
	"$(PYTHON)" -m venv .venv/.uv && .venv/.uv/bin/pip install --quiet uv==0.13.9

# What the wheels do not bring: venv (Debian packs it apart), the libGL and GLib of OpenCV's windows, the EGL and GLES of mediapipe.
PACKAGES := python3 python3-venv libgl1 libglib2.0-0 libegl1 libgles2
LIBRARIES := "libGL.so.1", "libgthread-2.0.so.0", "libEGL.so.1", "libGLESv2.so.2"
PROBE := import ctypes, ensurepip, venv; [ctypes.CDLL(name) for name in ($(LIBRARIES))]
APT_GET := env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes

system:
	@if [ "$$(uname)" != Linux ] || "$(PYTHON)" -c '$(PROBE)' 2> /dev/null; then exit; fi; \
	if [ "$$(id -u)" = 0 ]; then root=; else root=sudo; fi; \
	echo "Installing system packages: $(PACKAGES)"; \
	$$root $(APT_GET) update && $$root $(APT_GET) install --no-install-recommends $(PACKAGES) && exit; \
	echo "These system packages are needed and could not be installed: $(PACKAGES)." >&2; \
	echo "Install them as root (apt-get install $(PACKAGES)), or what your system calls them; then try again." >&2; exit 1
