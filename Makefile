# junctor: what can be made. "make" alone lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT      ?= $(shell git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null)
DATE        ?= $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
BUILT        = -X main.built=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)
PREFIX      ?= /usr/local
FUZZTIME    ?= 1m
SIZES       ?= 1000,100000
COUCH_SIZES ?= 1000,100000
ROUNDS      ?= 5
TURN        ?= 1s
SIP_SECONDS ?= 10
# Tests wait for programs and for limits of time more than they work: so many of a package run at once.
PARALLEL    ?= 4
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
REVIVE      := github.com/mgechev/revive@v1.17.0
MISSPELL    := github.com/golangci/misspell/cmd/misspell@v0.7.0

# A download that fails is tried again.
export npm_config_fetch_retries := 5

# All that is built without the race detector is built in the same way, so that nothing is compiled twice.
export CGO_ENABLED := 0
export GOFLAGS     += -trimpath

# Tests over HTTP speak to this. Where JUNCTOR_TEST_COUCHDB names a CouchDB, only the tests of that choice do.
PEER := .tools/node_modules/.bin/pouchdb-server

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The console's source, and the packages from npm that build and test it. Without Node build goes on without the console.
WEB          := pkg/console/web
WEB_SOURCES  := $(shell find $(WEB)/src -type f) $(addprefix $(WEB)/,index.html package.json tsconfig.json vite.config.js)
WEB_PACKAGES := .tools/console/node_modules/.package-lock.json
NODE_OK      := $(shell node -e 'const [a, b] = process.versions.node.split("."); if (a < 20 || a == 20 && b < 19) process.exit(1)' \
	2>/dev/null && command -v npm >/dev/null && echo yes)

.PHONY: build
build: console ## build bin/junctor, with the console in it
	go build -ldflags '-s -w $(BUILT)' -o bin/junctor ./cmd/junctor

.PHONY: console
ifeq ($(NODE_OK),yes)
console: ## build the console, if its source has changed
	@if $(MAKE) --no-print-directory $(WEB_PACKAGES); then \
		ln -sfn ../../../.tools/console/node_modules $(WEB)/node_modules && \
		$(MAKE) --no-print-directory pkg/console/dist/index.html; else \
		echo "npm cannot get the packages that the console is built with: it stays as it was"; [ "$$CI" != true ]; fi
else
console:
	@echo "no Node 20.19 or later with npm: $(if $(wildcard pkg/console/dist/index.html),the console is as it was built last,the \
	console will be a page that says how to build it)"; [ "$$CI" != true ]
endif

pkg/console/dist/index.html: $(WEB_SOURCES) $(WEB_PACKAGES)
	rm -rf pkg/console/dist/assets $@
	cd $(WEB) && node_modules/.bin/vite build --logLevel warn

# The packages are outside of the source folders, so that no tool for those reads them.
$(WEB_PACKAGES): $(WEB)/package-lock.json $(WEB)/.npmrc
	mkdir -p .tools/console
	cp $(WEB)/package.json $(WEB)/package-lock.json $(WEB)/.npmrc .tools/console
	cd .tools/console && npm ci --ignore-scripts --loglevel=error
	touch $@

.PHONY: man
man: build ## write manual pages to bin/man
	bin/junctor man bin/man

.PHONY: run
run: build ## build, serve an embedded store in ./junctor-data, and print curl lines to try
	@bin/junctor serve --tour

.PHONY: check
check: ## the quick checks: format, vet, short tests
	$(call gofmt)
	go vet ./...
	go test -short -vet=off -shuffle=on -timeout 2m ./...

# By default a program with the race detector sleeps for a second before it exits, and tests start many.
.PHONY: test
test: peer programs console ## vet, and all tests with the race detector
	go vet ./...
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=50 go test -race -vet=off -shuffle=on -parallel $(PARALLEL) -timeout 30m ./...

.PHONY: soak
soak: peer programs ## the tests that take minutes, whose names have Soak in them
	JUNCTOR_SOAK=1 go test -run Soak -v -timeout 60m -p 1 ./...
	$(MAKE) test-sip SIP_SECONDS=60

.PHONY: test-sip
test-sip: ## play calls through Kamailio for SIP_SECONDS (10), with 100 calls a second
	@.ci/programs kamailio=kamailio sipp=sip-tester
	@[ -e /usr/lib/*/kamailio/modules/http_client.so ] && [ -e /usr/lib/*/kamailio/modules/json.so ] || \
		.ci/programs http_client=kamailio-utils-modules json=kamailio-json-modules
	PATH=$$PATH:/usr/sbin JUNCTOR_TEST_SIP=$(SIP_SECONDS) go test -count=1 -v ./packaging/kamailio

.PHONY: lint
lint: ## format, vet, staticcheck, exported names without comments, spelling, words, and a tidy go.mod
	$(call gofmt)
	@if grep -rnwf .ci/words.txt --include=*.go cmd docs pkg; then \
		echo "use the words of CONTRIBUTING.md, \"Language\", instead of these"; exit 1; fi
	@if grep -rnE '^\s*// \w+ answers ' --include=*.go cmd docs pkg; then \
		echo "a function returns, a predicate reports whether, a handler responds"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go run $(REVIVE) -config .ci/revive.toml ./...
	go run $(MISSPELL) -error cmd docs pkg schemas couchdb-views *.md
	go mod tidy -diff

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (1m)
	@set -euo pipefail; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "== $$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: bench
bench: build bin/junctor-bench ## measure SIZES (1000,100000) addresses beside bare handlers and stores, in ROUNDS (5) of TURN (1s)
	bin/junctor-bench --sizes '$(SIZES)' --couchdb-sizes '$(COUCH_SIZES)' --rounds $(ROUNDS) --turn $(TURN)
	go test -run '^$$' -bench . ./pkg/api

.PHONY: bench-smoke
bench-smoke: build bin/junctor-bench ## see, in seconds, that everything can be measured
	bin/junctor-bench --sizes 300,600 --couchdb-sizes 300 --rounds 1 --turn 100ms --timeout 5m
	go test -run '^$$' -bench . -benchtime 1x ./pkg/api

.PHONY: bin/junctor-bench
bin/junctor-bench:
	go build -o $@ ./cmd/junctor-bench

.PHONY: install
install: build ## install junctor into PREFIX (/usr/local), with WITH_SUP=1 its link sup, too, where there is no sup
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 bin/junctor $(DESTDIR)$(PREFIX)/bin/junctor
ifeq ($(WITH_SUP),1)
	@sup=$(DESTDIR)$(PREFIX)/bin/sup; \
	if [ "$$(readlink $$sup)" = junctor ]; then exit; fi; \
	if [ -e $$sup ] || [ -L $$sup ]; then \
		echo "$$sup is there already, perhaps Kazoo's: it stays, and \"junctor sup\" does the same" >&2; exit 1; fi; \
	ln -s junctor $$sup
endif

.PHONY: packages
packages: console ## build .deb and .rpm for ARCHES (amd64 arm64) into OUT (bin/release)
	VERSION=$(VERSION) COMMIT=$(COMMIT) DATE=$(DATE) packaging/build.sh packages

.PHONY: release
release: console ## build packages, tarballs, an SBOM and check sums into OUT (bin/release); the same commit gives the same bytes
	VERSION=$(VERSION) COMMIT=$(COMMIT) DATE=$(DATE) packaging/build.sh release

.PHONY: clean
clean: ## remove what was built and installed here; stores stay
	rm -rf bin .tools pkg/console/dist/assets pkg/console/dist/index.html $(WEB)/node_modules

.PHONY: peer
peer: $(PEER)

# Nothing native is needed to keep databases in memory, hence --ignore-scripts.
$(PEER): .ci/peer/package-lock.json .ci/peer/.npmrc
	mkdir -p .tools
	cp .ci/peer/package.json .ci/peer/package-lock.json .ci/peer/.npmrc .tools
	cd .tools && npm ci --ignore-scripts --loglevel=error
	touch $@

# Debian packages of programs that tests start.
.PHONY: programs
programs:
	@.ci/programs rabbitmq-server=rabbitmq-server strace=strace rpm2cpio=rpm2cpio cpio=cpio chromium=chromium

define gofmt
@files=$$(gofmt -l cmd docs packaging pkg schemas couchdb-views); if [ -n "$$files" ]; then \
	echo "not as gofmt writes it:"; echo "$$files"; exit 1; fi
endef
