# Millrace. `make` alone lists what there is.

# Generic methods exist from Go 1.27; an older go (from 1.21) fetches this one.
export GOTOOLCHAIN := go1.27.4
# Nothing here is released from a build, and stamping fails where git does not trust the folder's owner.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

SHELL := /bin/bash
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s

# The race detector needs a C compiler.
RACE = $(shell command -v $$(go env CC) >/dev/null && echo -race)

# The broker and the harness of a measurement stay on the first core, away from the engines.
PIN = $(shell [ "$$(nproc 2>/dev/null || echo 1)" -gt 1 ] && command -v taskset >/dev/null && echo taskset -c 0)

# The suites of `make test`. Tests in virtual time live in files with the build tag synctests, under which the Kafka
# client takes locks that a synctest bubble can wait on; everything else must be tested without it.
SEEDS ?= 50
RACE_SEEDS ?= 8
SIM_FILES = $(shell grep -rl --include='*_test.go' '^//go:build synctests' .)
SIM_TESTS = $(shell grep -ho '^func Test[A-Z0-9][A-Za-z0-9_]*' $(SIM_FILES) /dev/null | sed 's/^func //' | grep -v '^TestMain$$' | paste -sd'|')
SIM_ELSEWHERE = $(filter-out ./,$(sort $(dir $(SIM_FILES))))
UNIT = go test $(RACE) -p 2 -timeout 10m ./...
SIM  = $(if $(SIM_ELSEWHERE),$(error tests in virtual time in $(SIM_ELSEWHERE): have SIM run them too))go test -timeout 10m -tags synctests -run "^($(SIM_TESTS))$$" . -sim.seeds=$(SEEDS)
# The race detector makes a seed ten times as long: it sees some of them.
SIM_RACE = go test $(RACE) -timeout 10m -tags synctests -run "^($(SIM_TESTS))$$" . -sim.seeds=$(RACE_SEEDS) -sim.first=1001
# Modules of their own, so that nobody who uses the library downloads Testcontainers. The helper's tests wait for brokers while
# those in virtual time compute.
# They wait for brokers much of the time: two packages at once.
REAL = (cd integration && go test $(RACE) -p 2 -timeout 15m ./...)
HELPER = (cd kafkatest && go test $(RACE) -p 1 -timeout 15m ./...)

.PHONY: help run test jars kafka-image vet lint bench kafka-up kafka-down fuzz mutants sim costs conformance conformance-cluster

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { gsub(/\$$\$$/, "$$", $$2); printf "  make %-19s %s\n", $$1, $$2 }' Makefile

run: ## count the words of some text, exactly once, on an embedded broker
	@go run ./examples/wordcount $(ARGS)

test: jars vet ## vet, and run all tests; those of a real Kafka need Java 17, and Maven or KAFKA_LIBS or KAFKA_BROKERS
	@[ -n '$(RACE)' ] || echo 'tests run without the race detector: it needs a C compiler'
	@status=0; \
	$(UNIT) || status=1; \
	log=$$(mktemp); $(HELPER) >$$log 2>&1 & helper=$$!; \
	$(if $(SIM_FILES),$(SIM) || status=1; $(SIM_RACE) || status=1;) \
	wait $$helper || status=1; cat $$log; rm -f $$log; \
	$(REAL) || status=1; \
	exit $$status

jars: # what tests of a real Kafka need, or one line that says why they are left out; likewise for containers
	@go run ./internal/testkafka/cmd/kafka jars
	@docker info >/dev/null 2>&1 || [ -n "$$MILLRACE_REQUIRE_CONTAINERS" ] || echo 'tests in containers are left out: no container engine answers'

kafka-image: ## build an image of Kafka from what this machine has, for tests in containers where none can be pulled; VERSION=3.9
	@sh kafkatest/image/build.sh $(VERSION)

vet: # with -race, so that what it compiles the tests have
	go vet $(RACE) ./...
	go vet $(RACE) -tags synctests ./...
	cd kafkatest && go vet $(RACE) ./...
	cd integration && go vet $(RACE) ./...

lint: ## run the linters of .golangci.yml; the first time takes a minute
	go run $(GOLANGCI) run
	cd kafkatest && go run $(GOLANGCI) run -c ../.golangci.yml
	cd integration && go run $(GOLANGCI) run -c ../.golangci.yml

bench: ## measure our engine and its two ceilings against a real Kafka and print the table
	@go build -o bin/ ./bench/cmd/... ./internal/testkafka/cmd/kafka
	@set -e; if [ -z "$$KAFKA_BROKERS" ]; then \
	  kafka='bin/kafka -dir .kafka/bench -port 19192'; \
	  trap "$$kafka down" EXIT; \
	  env=$$($(PIN) $$kafka -fresh up); eval "$$env"; \
	fi; \
	$(PIN) bin/bench -brokers "$$KAFKA_BROKERS" $(ARGS)

kafka-up: ## start a real Kafka on port 19092 that stays; eval "$$(make -s kafka-up)" names it to what runs next
	@go run ./internal/testkafka/cmd/kafka $(ARGS) up

kafka-down: ## stop it
	@go run ./internal/testkafka/cmd/kafka $(ARGS) down

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' .); do \
	  for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
	    echo "$$name in $$(dirname $$file)"; \
	    go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$(dirname $$file); \
	  done; \
	done

conformance: ## compare with recorded behaviour of Kafka Streams; CASES=DIR another folder of cases, SHOW=NAME one in full
	@go run ./internal/conformance/cmd/conformance $(if $(CASES),-cases '$(CASES)') $(if $(SHOW),-show '$(SHOW)')

conformance-cluster: ## the same on a real broker: several partitions, a restart on an empty disk, takeover of a Java app; CASES=DIR, SHOW=NAME
	@go run ./internal/conformance/cmd/cluster $(if $(CASES),-cases '$(CASES)') $(if $(SHOW),-show '$(SHOW)')

mutants: ## remove each defence of the commit protocol in a copy, and see a test fail
	@go run ./internal/mutants

sim: ## run the app on kfake for an hour of virtual time, with processes that come, go and stall; ARGS=-sim.first=N: another seed
	@go test -v -timeout 60m -tags synctests -run '^TestSimulation$$' . -sim.seeds=1 -sim.time=1h $(ARGS)

costs: jars ## run all suites and print what each package costs, as the table in CONTRIBUTING.md
	@go run ./internal/costs 'unit=$(UNIT)' $(if $(SIM_FILES),'virtual time=$(SIM)') 'test helper=$(HELPER)' 'real Kafka=$(REAL)'
