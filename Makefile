# `make` prints this help. Every target works from a fresh clone with Go, make and git.

GO       ?= go
LAB      := bin/lab
RESULTS  ?= results
FUZZTIME ?= 20s
RACE     ?= ./...

.DEFAULT_GOAL := help
.PHONY: help build test race lint fuzz bench bench-full report golden clean

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/lab
	$(GO) build -buildvcs=auto -o $(LAB) ./cmd/lab

test: ## run the tests
	$(GO) vet ./...
	$(GO) test -p 1 ./...
	$(GO) test -tags coopdebug ./coop/...

race: ## run the tests under the race detector
	$(GO) test -p 1 -race -short $(RACE)

lint: ## gofmt, vet, staticcheck, function length, tidy go.mod
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@./.ci/funclen
	$(GO) mod tidy -diff

fuzz: ## run every fuzz target for FUZZTIME (20s)
	@./.ci/fuzz $(FUZZTIME)

bench: build ## the quick suite of experiments: a report in about five minutes
	$(LAB) bench quick --out $(RESULTS)/quick-$$(date +%Y%m%d-%H%M%S)

bench-full: build ## all experiments, with intervals and verdicts: about an hour
	$(LAB) bench full --out $(RESULTS)/full-$$(date +%Y%m%d-%H%M%S)

report: build ## make charts and page again: make report DIR=results/quick-...
	@test -n "$(DIR)" || { echo "say which run: make report DIR=results/quick-..."; exit 2; }
	$(LAB) report $(DIR)

golden: ## rewrite the golden files after a change that was meant
	$(GO) test ./harness/plan ./harness/record ./harness/timeline ./reports ./reports/chart -update

clean: ## remove what was built (not results/)
	rm -rf bin
