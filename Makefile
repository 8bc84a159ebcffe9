# proxychaos: what a newcomer types. `make help` lists it.

GO      ?= go
BIN     := bin/proxychaos
KIT     := $(CURDIR)/$(BIN)
RUNS    ?= runs
# Fewer cells than this make a nightly run red: those that need no registry.
FLOOR   ?= 736
# The results of earlier nights; make baseline makes it.
BASELINE ?= reports/baseline.json
# One set of build flags for the command, the suite and Ginkgo: what they share is
# compiled once. The race detector needs C, so tests have flags of their own.
BUILD   := CGO_ENABLED=0 GOFLAGS='$(GOFLAGS) -trimpath' $(GO)
STRIP   := -ldflags '-s -w'
SUITE   := bin/scenarios.test
CORPUS  := bin/corpus.test
# The suite is compiled behind a tag, so that the project's own tests do not start it.
GINKGO  := CGO_ENABLED=0 GOFLAGS='$(GOFLAGS) -trimpath' .ci/suite --procs=$(or $(PARALLEL),$$($(BIN) parallel)) --fail-on-empty --silence-skips --no-color --succinct --timeout=120m --poll-progress-after=0

# Packages whose tests run cells. A cell holds a load, and is unproven if it
# cannot: nothing else runs beside it.
CELLS   := ./harness/run ./cmd/proxychaos

# What others published, to test against: if the folder is not there, the tests
# that read it are skipped and say so.
PROXYCHAOS_CORPORA ?= $(abspath $(wildcard $(CURDIR)/../shared/corpora))

# What is tested is said to make, not found in the environment: some shells
# have a NAME or a PROXY of their own.
WORDS   := NAME PROXY CONFIG IMAGE COMMAND ENV SUBJECT RELEASE A B BENCH CASE FOR PROXY_A PROXY_B RELEASE_A RELEASE_B SHORT SHARD FROM WHY EACH
$(foreach word,$(WORDS),$(if $(filter environment,$(origin $(word))),$(eval override $(word) :=)))

export GO PROXYCHAOS_CORPORA
# What make calls is told in PROXYCHAOS_*, which can be set in the environment too.
SAID    := CLOCK CLOUD TTL GRACE OUTAGE POSTS RATE PEAK SEED MAX_FAILED RECOVER_WITHIN PROXY IMAGE COMMAND RELEASE SUBJECT URL_PATH HOST_HEADER PROXY_PORT HEADERS PARALLEL KIT
SAID    += SHARD WHY FOR PROXY_A PROXY_B RELEASE_A RELEASE_B ENV_A ENV_B MIN_FAILED MIN_RECOVERY MIN_P99
# A $ is one, as in COMMAND='sh -c "exec proxy $PORT"': make would put a variable of its own there.
# Who knows make writes $$, which is one too.
$(foreach word,$(SAID),$(if $(value $(word)),$(eval export PROXYCHAOS_$(word) = $$(subst $$$$$$$$,$$$$,$$(value $(word))))))
# Images that kinds of proxy can be given: harness/kind.
IMAGES  := HTTPD_IMAGE NGINX_IMAGE HAPROXY_IMAGE CADDY_IMAGE SQUID_IMAGE NGHTTPX_IMAGE LIGHTTPD_IMAGE H2O_IMAGE
IMAGES  += VARNISH_IMAGE TRAFFICSERVER_IMAGE POUND_IMAGE TRAEFIK_IMAGE ENVOY_IMAGE
# A word that make does not know would be passed over: it is mistyped. Settings of Go and
# Docker are in the environment as a rule, and may be said to make all the same.
KNOWN   := $(sort $(WORDS) $(SAID) $(IMAGES) RUNS FLOOR BASELINE SOAK FLIP)
GIVEN   := $(foreach word,$(.VARIABLES),$(if $(filter command,$(origin $(word))),$(word)))
UNKNOWN := $(firstword $(filter-out $(KNOWN) GO% CGO_% DOCKER_% CI PROXYCHAOS_%,$(GIVEN)))
$(if $(UNKNOWN),$(error $(shell $(GO) run ./cmd/meant variable $(UNKNOWN) $(KNOWN))))
# Ginkgo runs the suite in its own folder: paths are made absolute.
ABSOLUTE := PROXYCHAOS_RUNS="$$(realpath -m -- '$(RUNS)')"
# Variables, or else a file of them.
VARIABLES := '$(subst ','\'',$(subst $$$$,$$,$(value ENV)))'
ENVIRONMENT := PROXYCHAOS_ENV="$$(case $(VARIABLES) in ''|[A-Za-z_]*=*) printf %s $(VARIABLES) ;; *) realpath -m -- $(VARIABLES) ;; esac)"

.DEFAULT_GOAL := help
.PHONY: help list build suite images named scenario compare atlas nightly merge baseline proxies incident corpus claims claim demo test test-long tests bench bench-proxy soak fidelity errorrate pairs lint clean FORCE

.DEFAULT:
	@$(GO) run ./cmd/meant target $@ $$(sed -n 's/^\([a-z-]*\):.*## .*/\1/p' $(firstword $(MAKEFILE_LIST))) >&2; exit 2

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

list: build ## the scenarios and the catalogued subjects
	@$(BIN) list

build: $(BIN) ## the one binary: agents, bundled proxy, reports
# Moved into place when whole: another make may be running the old one.
$(BIN): FORCE
	@mkdir -p bin
	@$(BUILD) build $(STRIP) -o $(BIN).$$$$ ./cmd/proxychaos && mv -f $(BIN).$$$$ $(BIN)

suite: $(SUITE) ## the scenarios as a Ginkgo suite: go tool ginkgo run bin/scenarios.test --help
$(SUITE): FORCE
	@mkdir -p bin
	@$(BUILD) test -c $(STRIP) -tags scenario -o $(SUITE).$$$$ ./scenarios/suite && mv -f $(SUITE).$$$$ $(SUITE)

named:
	@test -n '$(NAME)' || { echo "make scenario needs a NAME=, such as NAME=alb-ip-rotate; make list shows them" >&2; exit 2; }

# Put in place while the suite is compiled.
images:
	@PROXYCHAOS_NAME='$(NAME)' PROXYCHAOS_CONFIG='$(CONFIG)' $(ENVIRONMENT) $(ABSOLUTE) $(BIN) images

scenario: named build ## NAME=alb-ip-rotate [PROXY=nginx CONFIG=./default.conf ENV=./file] [PROXY=image IMAGE= COMMAND=] [SUBJECT=] [CLOUD=azure] [CLOCK=production TTL= GRACE= OUTAGE= POSTS= RATE= PEAK= SEED= MAX_FAILED= RECOVER_WITHIN=]
	@PROXYCHAOS_NAME='$(NAME)' PROXYCHAOS_CONFIG='$(CONFIG)' $(ENVIRONMENT) $(ABSOLUTE) $(BIN) check
	@$(MAKE) --no-print-directory -j2 suite images
	@PROXYCHAOS_NAME='$(NAME)' PROXYCHAOS_CONFIG="$$(test -z '$(CONFIG)' || realpath -- '$(CONFIG)')" $(ENVIRONMENT) $(ABSOLUTE) $(GINKGO) $(SUITE)

compare: build ## A=./now.conf B=./next.conf PROXY=nginx [NAME= FOR=20m WHY=1 RELEASE_A= RELEASE_B= MIN_FAILED=5 MIN_RECOVERY=0.3s MIN_P99=20%]: roll out, do not, or cannot tell
	@PROXYCHAOS_NAME='$(NAME)' $(ENVIRONMENT) $(ABSOLUTE) $(BIN) compare --make --a '$(A)' --b '$(B)'

atlas: build ## PROXY=nginx [NAME= CONFIG=./default.conf RELEASE=oldstable,stable], or FROM="run1 run2" of stored runs: between which releases its behaviour changed; runs/atlas.html
	@PROXYCHAOS_NAME='$(NAME)' PROXYCHAOS_CONFIG='$(CONFIG)' $(ENVIRONMENT) $(ABSOLUTE) $(BIN) $(if $(FROM),report atlas $(FROM),atlas --make)

# What a nightly is compared with.
WHOLE   := PROXYCHAOS_FLOOR='$(FLOOR)' PROXYCHAOS_BASELINE="$$(test -z '$(BASELINE)' || realpath -m -- '$(BASELINE)')"

nightly: build ## [SHARD=2/8]: every scenario over every subject, compared with earlier nights; runs/junit.xml, runs/report.html
	@PROXYCHAOS_NAME= PROXYCHAOS_CONFIG= $(WHOLE) $(ABSOLUTE) $(BIN) check
	@$(MAKE) --no-print-directory -j2 suite images NAME= CONFIG=
	@PROXYCHAOS_NAME= PROXYCHAOS_CONFIG= $(WHOLE) $(ABSOLUTE) $(GINKGO) $(SUITE)

merge: build ## FROM="shard1 shard2": the report of a nightly of several shards, compared with earlier nights
	@$(WHOLE) $(ABSOLUTE) $(BIN) report merge $(FROM)

baseline: build ## [FROM="night1 night2 night3"]: makes reports/baseline.json from stored nights, and shows what is different from before
	@$(BIN) baseline $(or $(FROM),$(RUNS)) -o '$(BASELINE)'

proxies: build ## [FROM="night"]: docs/proxies.md, which config for which proxy, from stored nights; what they have takes the place of docs/proxies.json's
	@$(BIN) proxies $(FROM)

incident: build ## NAME=govuk-2018: a well-known outage, on a config that breaks in it and on one that holds; no NAME= lists them
	@PROXYCHAOS_NAME= $(ABSOLUTE) $(BIN) incident --make $(if $(NAME),'$(NAME)',--help)

corpus: build $(CORPUS) ## [CASE=haproxy]: configs of many shapes, each with the outcome that is right; a case, a kind, or gate; docs/corpus.md
	@mkdir -p '$(RUNS)'
	@$(ABSOLUTE) $(GINKGO) --label-filter='$(CASE)' $(CORPUS)

$(CORPUS): FORCE
	@mkdir -p bin
	@$(BUILD) test -c $(STRIP) -tags scenario -o $(CORPUS).$$$$ ./scenarios/corpus/suite && mv -f $(CORPUS).$$$$ $(CORPUS)

claims: build ## what articles claim about proxies, as experiments; docs/claims.md, and which verdicts have changed [NAME=a claim]
	@$(ABSOLUTE) $(BIN) claims --make --write $(NAME)

claim: build ## NAME=002-valid-3s [RELEASE=oldstable, or HTTPD_IMAGE=yours]: one claim; writes nothing
	@test -n '$(NAME)' || { echo "make claim needs a NAME=, such as NAME=002-valid-3s; docs/claims.md has them" >&2; exit 2; }
	@$(ABSOLUTE) $(BIN) claims --make $(NAME)

demo: build ## goproxy in front of a fake ALB whose name keeps moving, until Ctrl-C
	@$(BIN) demo

test: ## the project's own tests, with the race detector
	@$(MAKE) --no-print-directory tests SHORT=-short
	@echo "make test-long has, besides: $$(grep -rhoP --include='*_test.go' '// make test-long: \K.*' . | sort | paste -sd ';')"

test-long: ## the same, and what takes minutes
	@$(MAKE) --no-print-directory tests

# What is vetted, and the example, are compiled with the flags of the command, which
# some tests build.
tests:
	@.ci/packages
	$(BUILD) vet ./... && $(BUILD) vet -tags scenario ./scenarios/suite ./scenarios/corpus/suite
	$(GO) test -race $(SHORT) -timeout=30m $$($(GO) list ./... | grep -vxF "$$($(GO) list $(CELLS))")
	$(GO) test -race $(SHORT) -timeout=30m -p 1 $(CELLS)
	cd examples/own-config && $(BUILD) vet ./... && $(BUILD) test -count=1 ./...

bench: build ## fakedns and fakealb compared with CoreDNS, nginx and others; docs/performance.md [BENCH="--only dns"]
	@.ci/packages bench
	@$(GO) run ./cmd/bench fakes $(BENCH)

bench-proxy: build ## goproxy compared with Caddy, Apache, nginx and HAProxy; docs/performance.md [BENCH="--only small"]
	@.ci/packages bench
	@$(GO) run ./cmd/bench proxy $(BENCH)

soak: build ## goproxy for 20 minutes under load while its upstream moves; docs/performance.md [SOAK=20m RATE=1000 FLIP=2s]
	@$(GO) run ./cmd/bench soak --duration '$(or $(SOAK),20m)' --rate '$(or $(RATE),1000)' --flip '$(or $(FLIP),2s)'

fidelity: ## docs/aws-fidelity.md, docs/cloud-fidelity.md: which test of the fakes proves which fact about AWS, or another cloud
	@.ci/packages
	@$(GO) test -json ./fakedns/... ./fakealb/... ./harness | $(GO) run ./cmd/fidelity

errorrate: build ## [EACH=60]: docs/comparing.md: how often compare errs, over a bank of stored runs; first runs what the bank lacks of 60 runs of each cell
	@$(ABSOLUTE) $(BUILD) run ./cmd/errorrate $(if $(EACH),bank '$(EACH)')

pairs: build ## [NAME=nginx-fix]: docs/comparing.md: what compare says of 30 pairs of configs with known answers
	@$(ABSOLUTE) $(BUILD) run ./cmd/errorrate pairs $(if $(NAME),'$(NAME)')

# golangci-lint checks the spelling in Go files, misspell that in the others.
lint: ## golangci-lint, actionlint and misspell, built from their modules
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run
	$(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	git ls-files -z '*.md' '*.yaml' '*.yml' '*.tsv' '*.tmpl' '*.css' '*.sh' Makefile .ci | xargs -0 $(GO) run github.com/golangci/misspell/cmd/misspell@v0.8.0 -error

clean: ## what was built here; recordings and images stay
	rm -rf bin
