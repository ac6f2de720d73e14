# `make` alone lists the targets. Each sets up what it needs, once, in virtual environments of this directory.

SUITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# The first of these that starts: one that is only a name (pyenv's, of a version not chosen) does not.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c '$(SUITS)' 2>/dev/null && { echo "$$name"; break; }; done)
PYTEST_ARGS ?=
BENCH_ARGS ?=
OUTAGE_ARGS ?=

# What operating a stack needs, what running one on this machine needs, and what the tests need.
OPERATING := .venv/.run
RUNNING := $(OPERATING) .venv-sam/.installed .venv/.wheels-local
TESTING := $(RUNNING) .venv/.installed .venv/.wheels-arm64 .venv/.wheels-x86_64 .venv/.wheels-image

# The processes started here are hundreds, with the same modules. Where this is set, each would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run serve logs explain unknown resolve forget breaker reconcile export client clients client-rotate client-adopt client-revoke secrets secrets-verify secrets-promote invoke dashboard-preview cost test faults soak outage fuzz bench bench-reconciliation check lint format new-operation documents clean
# A target that failed half-way must not count as made.
.DELETE_ON_ERROR:

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(TESTING) ## Create the virtual environments with the pinned packages, and fetch the layer's wheels

run: $(RUNNING) ## Bring everything up, send one order of each operation, print the results, stop
	@$(vezne) run

serve: $(RUNNING) ## Keep everything up at localhost:8780 until Ctrl-C, and print curl lines (VEZNE_PORT, VEZNE_SWEEP_SECONDS=5)
	@$(vezne) serve

logs: $(OPERATING) ## Print the running local stack's logs: [FN=paynet_capture] [FOLLOW=1]
	@$(vezne) logs $(if $(FOLLOW),--follow) $(if $(FN),-- "$(FN)")

explain: $(OPERATING) ## Say what happened to one operation: OP=op_... (STACK=name for a deployed stack)
	@$(vezne) explain $(stack) -- "$(OP)"

unknown: $(OPERATING) ## List the unresolved operations with age and amount (STACK=name for a deployed stack)
	@$(vezne) unknown $(stack)

resolve: $(OPERATING) ## Look an unknown outcome up, then decide: OP=op_... AS=succeeded|not_executed REASON="..." [ROW=] [OVERRIDE=1], or many: FILE=statement.csv [DRY_RUN=1]
	@$(vezne) resolve $(stack) $(if $(ROW),--row "$(ROW)") $(if $(CONFIRM),--confirm "$(CONFIRM)") \
		$(if $(OVERRIDE),--override) \
		$(if $(FILE),--file "$(FILE)" $(if $(DRY_RUN),--dry-run),-- "$(OP)" "$(AS)" "$(REASON)")

forget: $(OPERATING) ## Erase what a final operation says of persons: OP=op_... REASON="..." (STACK=name)
	@$(vezne) forget $(stack) -- "$(OP)" "$(REASON)"

breaker: $(OPERATING) ## Show a provider's breaker, or stop its orders: PROVIDER=paynet [STATE=open|closed REASON="..."] (STACK=name)
	@$(vezne) breaker $(stack) -- "$(PROVIDER)" $(if $(STATE),"$(STATE)" "$(REASON)")

reconcile: $(OPERATING) ## Compare a day with a provider's own list: PROVIDER=paynet [DATE=2026-11-26] [STORED=1], or note what came of a finding: FINDING=... REASON="..." (STACK=name)
	@$(vezne) reconcile $(stack) $(if $(STORED),--stored) \
		$(if $(FINDING)$(REASON),--resolve "$(FINDING)" --reason "$(REASON)") -- "$(PROVIDER)" $(if $(DATE),"$(DATE)")

export: $(OPERATING) ## Write the final orders of some days to a file: FROM=2026-11-01 TO=2026-11-25 CSV=november.csv [FORCE=1] (STACK=name)
	@$(vezne) export $(stack) --from "$(FROM)" --to "$(TO)" --csv "$(CSV)" $(if $(FORCE),--force)

client: $(OPERATING) ## Make an app client: NAME=shop SCOPES="paynet.capture operations.read" [PRINCIPAL=whose keys] (STACK=name)
	@$(vezne) client create $(stack) $(if $(PRINCIPAL),--principal "$(PRINCIPAL)") -- "$(NAME)" "$(SCOPES)"

clients: $(OPERATING) ## List the app clients: principal, scopes, age of their secrets, unresolved orders (STACK=name)
	@$(vezne) client list $(stack)

client-rotate: $(OPERATING) ## Give an app client a second secret, then FINISH=1 deletes the old one: NAME=shop (STACK=name)
	@$(vezne) client rotate $(stack) $(if $(FINISH),--finish) -- "$(NAME)"

client-adopt: $(OPERATING) ## Let a client of an earlier version keep its keys, before the new one is deployed: NAME=shop (STACK=name)
	@$(vezne) client adopt $(stack) -- "$(NAME)"

client-revoke: $(OPERATING) ## Take an app client away, with its secret: NAME=shop [FORCE=1] (STACK=name)
	@$(vezne) client revoke $(stack) $(if $(FORCE),--force) -- "$(NAME)"

secrets: $(OPERATING) ## Fill the providers' secrets, hidden input or JSON on stdin: [PROVIDER=paynet] [STAGE=pending] (STACK=name)
	@$(vezne) secrets write $(stack) $(stage) $(if $(PROVIDER),-- "$(PROVIDER)")

secrets-verify: $(OPERATING) ## Try the pending version of a secret at its provider: PROVIDER=paynet (STACK=name)
	@$(vezne) secrets verify $(stack) -- "$(PROVIDER)"

secrets-promote: $(OPERATING) ## Put the pending (or STAGE=previous) version of a secret to use: PROVIDER=paynet [FORCE=1] (STACK=name)
	@$(vezne) secrets promote $(stack) $(stage) $(if $(FORCE),--force) -- "$(PROVIDER)"

invoke: $(RUNNING) ## Run one event through one function by sam local invoke: FN=paynet_capture EVENT=events/... [IMAGE=...]
	@$(vezne) invoke $(if $(IMAGE),--image "$(IMAGE)") -- "$(FN)" "$(EVENT)"

dashboard-preview: $(TESTING) ## Draw the dashboard's widgets from a local run's metrics: shared/vezne_cli/dashboard.png
	@PYTHONPATH=.:shared .venv/bin/python -m tests.performance.dashboard

# The command behind these targets; it says what a missing or mistyped variable should be.
vezne = PYTHONPATH=shared .venv/bin/python -m vezne_cli
stack = $(if $(STACK),--stack "$(STACK)")
# What make calls the assembler is no decision.
ifeq ($(origin AS),default)
AS =
endif
stage = $(if $(STAGE),--stage "$(STAGE)")

cost: $(TESTING) ## Print what a million orders cost on AWS, from what an order does here
	@PYTHONPATH=.:shared .venv/bin/python -m tests.performance.cost

test: $(TESTING) ## Run all tests in three processes (PYTEST_ARGS="-k name" for some)
	.venv/bin/python -m pytest -n 3 $(PYTEST_ARGS)

faults: $(TESTING) ## Prove the promise and print the tables: kills, faulty answers, races, model, chaos, peer (VEZNE_FAULTS_SEED=n repeats a run)
	@# Only a run of everything is written down.
	VEZNE_CHAOS_RUNS=$(or $(VEZNE_CHAOS_RUNS),5000) VEZNE_RECONCILIATION_WORLDS=20 \
		VEZNE_WRITE_RESULTS=$(if $(PYTEST_ARGS)$(VEZNE_CHAOS_RUNS),,1) \
		.venv/bin/python -m pytest tests/faults $(PYTEST_ARGS)

soak: $(TESTING) ## Random orders and faults for MINUTES=10, then doubles, lost and wrong outcomes
	@PYTHONPATH=.:shared .venv/bin/python -m tests.faults.soak -- "$(or $(MINUTES),10)"

outage: $(TESTING) ## A provider is sick, on a virtual clock: unknown outcomes with and without the breaker (OUTAGE_ARGS="--minutes 10")
	@PYTHONPATH=.:shared .venv/bin/python -m tests.faults.outage $(OUTAGE_ARGS)

fuzz: $(TESTING) ## Send 5,000 generated requests through the local stack (REQUESTS=n for another number)
	VEZNE_FUZZ_REQUESTS="$(or $(REQUESTS),5000)" .venv/bin/python -m pytest tests/end_to_end/test_fuzz.py -s $(PYTEST_ARGS)

bench: $(TESTING) ## Measure speed and size beside a floor and a peer (BENCH_ARGS="--parts growth --growth 1000 5000" for some)
	@PYTHONPATH=.:shared .venv/bin/python -m tests.performance $(BENCH_ARGS)

bench-reconciliation: $(TESTING) ## Reconcile a day of ORDERS=100000: its memory, processor time and calls
	@POWERTOOLS_SERVICE_NAME=vezne POWERTOOLS_METRICS_NAMESPACE=Vezne PYTHONPATH=.:shared \
		.venv/bin/python -m tests.performance.reconciliation $(ORDERS)

check: lint .venv-checks/.installed ## Run every static check: style, types, layers, template and our rules for it, security
	.venv/bin/mypy
	PYTHONPATH=shared .venv/bin/lint-imports --no-logo
	.venv/bin/cfn-lint --template template.yaml --include-checks I
	@# Checkov does not know loops: it is given the template without them.
	$(vezne) template .local/template.json
	.venv-checks/bin/checkov --config-file .checkov.yaml
	SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam validate --lint --region eu-central-1
	@# Our own rules for the template, on what SAM makes of it.
	.venv/bin/python -m pytest --quiet tests/unit/test_template*.py
	.venv/bin/bandit --quiet --recursive --configfile pyproject.toml shared/vezne shared/vezne_client functions
	@# The tools that write secrets and make clients, and the sandboxes. Left out as for ruff: they start the project's own
	@# programs only, and what the local stack has for secrets is none.
	.venv/bin/bandit --quiet --recursive --skip B101,B105,B106,B311,B404,B603 shared/vezne_cli shared/vezne_sandbox
	.venv-checks/bin/python tests/audit.py

lint: $(TESTING) ## Check style and format only
	.venv/bin/ruff check
	.venv/bin/ruff format --check

format: $(TESTING) ## Put the code into the common format
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

new-operation: $(TESTING) ## Write the skeleton of an operation: NAME=paynet.reverse_capture [ROUTE="POST /..."] [SUMMARY=] [INQUIRY=1]
	@$(vezne) new-operation "$(NAME)" --route "$(ROUTE)" --summary "$(SUMMARY)" $(if $(INQUIRY),--inquiry)
	@.venv/bin/ruff format --quiet functions shared tests && .venv/bin/ruff check --quiet --fix shared/vezne shared/vezne_client

documents: $(OPERATING) ## Write the tables in the documents that are made from the template, the functions and the providers
	@$(vezne) documents

clean: ## Remove everything that was built or set up
	rm -rf .venv .venv-sam .venv-checks .venv-uv .aws-sam .local .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find functions shared tests -type d -name __pycache__ -prune -exec rm -rf {} +

# What the local stack and the operators' commands import; what the tests and checks need beside it.
.venv/.run: requirements-run.txt
.venv/.installed: requirements-dev.txt .venv/.run
# SAM CLI has an environment of its own: it pins boto3 and others to versions that are not ours.
.venv-sam/.installed: requirements-sam.txt
# Checkov has one, too, for the same reason; only `make check` needs it.
.venv-checks/.installed: requirements-checks.txt
.venv/.run .venv/.installed .venv-sam/.installed .venv-checks/.installed: | .venv-uv/.installed
	@$(set_up) uv $(@D) $<
	@touch $@

# The layer's wheels, by what it is built for. shared/Makefile takes them from here, and needs no network then.
.venv/.wheels-local .venv/.wheels-arm64 .venv/.wheels-x86_64: shared/requirements.txt
# What the image for "sam local invoke" holds, which tests make themselves.
.venv/.wheels-image: tests/end_to_end/sam_local/requirements.txt
.venv/.wheels-%: | .venv/.run
	@$(set_up) wheels .venv/wheels/$* $<
	@touch $@

# uv installs the hash-pinned files in seconds where pip takes minutes.
.venv-uv/.installed: requirements-uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is missing, or lacks its module venv (Debian: python3-venv)." \
		"Install one, or name it: make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c '$(SUITS)' || { echo "$(PYTHON) does not start, is not Python 3.11 to 3.13, or lacks its module venv" \
		"(Debian: python3-venv). Name another: make PYTHON=python3.13" >&2; exit 1; }
	@$(set_up) pip $(@D) $<
	@touch $@

set_up = "$(PYTHON)" -I shared/vezne_cli/set_up.py
# One variable names another package index for both.
ifdef UV_DEFAULT_INDEX
export PIP_INDEX_URL ?= $(UV_DEFAULT_INDEX)
endif
