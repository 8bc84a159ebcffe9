# proxychaos: what a newcomer types. `make help` lists it.

GO      ?= go
BIN     := bin/proxychaos
KIT     := $(abspath $(BIN))
RUNS    ?= $(abspath runs)
# Fewer cells than this make a nightly run red: those that need no registry.
FLOOR   ?= 48
# A Ginkgo of the version in go.mod; the suite is behind a tag so that the
# project's own tests do not start it.
GINKGO  := $(GO) tool ginkgo run --tags=scenario --fail-on-empty --silence-skips --no-color --succinct --timeout=60m --poll-progress-after=0

export TTL GRACE RATE SEED PROXY RELEASE SUBJECT URL_PATH HOST_HEADER PROXY_PORT PARALLEL
export RUNS KIT

.DEFAULT_GOAL := help
.PHONY: help list build scenario compare nightly test lint fmt clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

list: build ## the scenarios and the catalogued subjects
	@$(BIN) list

build: $(BIN) ## the one binary: agents, bundled proxy, reports
$(BIN): FORCE
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/proxychaos

scenario: build ## NAME=alb-ip-rotate [PROXY=nginx CONFIG=./default.conf] [SUBJECT=] [TTL= GRACE= RATE= SEED=]
	@$(if $(NAME),,echo "make scenario needs a NAME=; make list shows them" >&2; exit 2)
	@NAME='$(NAME)' CONFIG='$(CONFIG)' $(BIN) check
	@NAME='$(NAME)' CONFIG='$(if $(CONFIG),$(abspath $(CONFIG)))' $(GINKGO) ./scenarios

compare: build ## A=./now.conf B=./next.conf PROXY=nginx: both over every scenario; exit 1 where B is worse
	@$(BIN) compare --a '$(A)' --b '$(B)'

nightly: build ## every scenario over every subject; runs/junit.xml, runs/report.html
	@NAME= CONFIG= FLOOR=$(FLOOR) $(GINKGO) ./scenarios

test: ## the project's own tests, with the race detector
	@.ci/packages
	$(GO) vet ./... && $(GO) vet -tags scenario ./scenarios
	$(GO) test -race ./...

clean: ## what was built here; recordings and images stay
	rm -rf bin
