# `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run demo picture pictures pages browser-test coder-test test check model faults soak mutants bench order-file fuzz fmt lint docs build redis redis-server clean
.PHONY: dist deb install uninstall docker-test up backup restore upgrade downgrade

CARGO ?= cargo
SUPPORT = --package coder-sms-register-support
RELEASE = $${CARGO_TARGET_DIR:-target}/release
# Parts of SQLite that nothing here uses are left out of a release.
SQLITE_FLAGS = LIBSQLITE3_FLAGS="$$(cat deploy/sqlite-flags)"
RELEASE_BUILD = $(SQLITE_FLAGS) $(CARGO) build --locked --release
DEBUG = $${CARGO_TARGET_DIR:-target}/debug
DEMO = $${CARGO_TARGET_DIR:-target}/demo/demo
DEMO_BUILD = $(CARGO) build --locked --profile demo $(BOTH) --no-default-features --bin coder-sms-register --bin demo
BOTH = --package coder-sms-register $(SUPPORT)
STUDENTS ?= 12
PROOFS ?=
SCENES ?=
PARTS ?=
BASE ?=
RUNS ?= 100000
MINUTES ?= 120
ROOMS ?=
TARGETS ?=
WORLDS ?=
KEEP ?=
ARCHS ?= amd64 arm64
# This machine, as Debian calls it.
THIS_ARCH = $$(case $$(uname -m) in aarch64) echo arm64;; *) echo amd64;; esac)
# Redis or Valkey, whichever is installed: make test REDIS_SERVER=valkey-server
REDIS_SERVER ?= $(shell command -v redis-server || command -v valkey-server || echo redis-server)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | \
		while IFS="$$(printf '\t')" read -r name words; do printf '  make %-13s %s\n' "$$name" "$$words"; done

# Service and demo come from one call of cargo, so that no crate is compiled twice. They are not optimised: that takes
# almost three times as long, and the class is as fast. Cargo shows how far it is.
demo: toolchain redis-server ## play a whole class on this machine: make demo STUDENTS=60
	@test -x $(DEMO) || echo 'The first build compiles about 100 crates, which takes a minute or two.'
	$(DEMO_BUILD)
	@$(DEMO) --students $(STUDENTS)

picture: toolchain redis-server ## draw docs/picture.svg anew, from a class that is played
	$(DEMO_BUILD)
	@$(DEMO) --picture docs/picture.svg

pages: picture ## write what tests compare with the code: picture, settings and samples in docs/, stories, manual page, completions
	WRITE_PAGES=1 $(CARGO) test --locked --lib -- cli::pages model::stories
	WRITE_PAGES=1 $(CARGO) test --locked --test it -- documents

browser-test: toolchain redis-server browsers ## the pages in real browsers, in minutes; in parts: make browser-test SCENES="one crowd"
	$(CARGO) build --locked $(BOTH) --bin coder-sms-register --bin browser-test
	@$(DEBUG)/browser-test $(SCENES)

pictures: toolchain redis-server browsers ## draw docs/screens anew: what wall, laptop and phone show
	$(CARGO) build --locked $(BOTH) --bin coder-sms-register --bin browser-test
	@$(DEBUG)/browser-test --pictures docs/screens looks

coder-test: toolchain redis-server ## play a class on a Coder that exists: CODER_API_URL=... CODER_API_KEY=... make coder-test
	$(RELEASE_BUILD) $(BOTH) --bin coder-sms-register --bin coder-test
	@$(RELEASE)/coder-test --students $(STUDENTS)

# The integration tests wait for events most of the time, so many run at once.
test: toolchain redis-server ## all tests, with real Redis servers that they start themselves
	$(CARGO) test --locked --lib --bins
	$(CARGO) test --locked --doc
	$(CARGO) test --locked --test it -- --test-threads=16
	$(CARGO) build --locked $(BOTH) --bins
	$(CARGO) test --locked $(SUPPORT)
	$(CARGO) test --locked --manifest-path tests/fuzz/Cargo.toml --no-default-features --target-dir $${CARGO_TARGET_DIR:-target} --test corpus

model: toolchain ## search all orders of events in larger worlds, in minutes; in parts: make model WORLDS="late orders"
	MODEL_WORLDS='$(WORLDS)' $(CARGO) test --config profile.dev.package.coder-sms-register.opt-level=3 --locked --lib -- model::tests::large model::seats::tests::large model::screens::tests::large --nocapture

faults: toolchain redis-server ## inject faults and count lost, doubled and orphaned accounts, for hours; in parts: make faults PROOFS="kills network"
	$(RELEASE_BUILD) $(BOTH) --bin coder-sms-register --bin faults
	@$(RELEASE)/faults $(PROOFS)

soak: toolchain redis-server ## classes and kills without a break, with 256 files and 64 MB of memory: make soak MINUTES=120
	$(CARGO) build --locked --release $(BOTH) --bin coder-sms-register --bin faults
	@FAULTS_MINUTES=$(MINUTES) $(RELEASE)/faults soak

# Each change is built and tested for itself: an hour for each 300 of them.
mutants: toolchain ## change the pure modules, one small change at a time: does a test notice? In parts: make mutants ROOMS="decide reply"
	@$(CARGO) mutants --version >/dev/null 2>&1 || { echo 'cargo-mutants is missing. Type: cargo install cargo-mutants --locked' >&2; exit 1; }
	@tests/mutants/run.sh "$$(realpath -m $${CARGO_TARGET_DIR:-target})/mutants" $(ROOMS)

# Figures mean little while something else keeps the machine busy. Where cargo-bloat is installed it says what the
# program consists of; it compiles for itself, once.
bench: toolchain redis-server ## measure speed and memory within 10 minutes, beside the theoretical limit: make bench PARTS="webhook class" BASE=COMMIT
	$(RELEASE_BUILD) $(BOTH) --bin coder-sms-register --bin bench
	@test -z '$(BASE)' || { set -e; folder=$$(realpath $${CARGO_TARGET_DIR:-target})/base; \
		rm -rf "$$folder/source"; mkdir -p "$$folder/source"; \
		git archive '$(BASE)' | tar -x -C "$$folder/source"; \
		CARGO_TARGET_DIR=$$folder $(CARGO) build --locked --release --manifest-path "$$folder/source/Cargo.toml" \
			--bin coder-sms-register; }
	@case '$(PARTS)' in ''|*footprint*) ;; *) exit 0;; esac; \
		$(CARGO) bloat --version >/dev/null 2>&1 || exit 0; \
		folder=$${CARGO_TARGET_DIR:-target}/bloat; mkdir -p "$$folder"; \
		CARGO_TARGET_DIR=$$folder CARGO_PROFILE_RELEASE_STRIP=none $(SQLITE_FLAGS) $(CARGO) bloat --locked --release --crates -n 0 \
			--message-format json > "$$folder/crates.json" || rm -f "$$folder/crates.json"
	@case '$(PARTS)' in ''|*webhook*) CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target}/peers $(CARGO) build --locked --release --manifest-path tests/peers/Cargo.toml || \
		echo 'hyper is not measured, as tests/peers could not be built.' >&2;; esac
	@hyper=$${CARGO_TARGET_DIR:-target}/peers/release/hyper-peer; $(RELEASE)/bench --write docs/benchmarks.md \
		$(if $(BASE),--base $${CARGO_TARGET_DIR:-target}/base/release/coder-sms-register) $$(test ! -x "$$hyper" || echo --hyper "$$hyper") $(PARTS)

# Both builds, as the static one has a C library of its own; in the linker's own order, as valgrind does not know whose the
# functions outside of `.text` are.
order-file: MUSL = $(shell uname -m)-unknown-linux-musl
order-file: ORDER_BUILD = ORDER_FILE=/dev/null CARGO_PROFILE_RELEASE_STRIP=none CC_$(subst -,_,$(MUSL))=musl-gcc \
	CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target}/order $(RELEASE_BUILD) --bin coder-sms-register
order-file: toolchain redis-server ## write deploy/order-file anew: functions that a service uses, for the linker; needs valgrind
	@ARCH=$(THIS_ARCH) deploy/toolchain.sh
	$(RELEASE_BUILD) $(SUPPORT) --bin order-file
	$(ORDER_BUILD)
	$(ORDER_BUILD) --target $(MUSL)
	@folder=$${CARGO_TARGET_DIR:-target}; $(RELEASE)/order-file deploy/order-file \
		$$folder/order/release/coder-sms-register $$folder/order/$(MUSL)/release/coder-sms-register

check: toolchain fmt lint docs test ## formatting, clippy, documentation and tests, as CI runs them

# RUSTC_BOOTSTRAP lets the stable toolchain take the sanitizer's flags. Leaks are not looked for: threads still run at the end.
# The minutes count only if somebody gives them.
fuzz: GIVEN = $(filter command environment,$(firstword $(origin MINUTES)))
fuzz: toolchain ## fuzz all parsers of foreign data; needs cargo-fuzz: make fuzz MINUTES=30 TARGETS="coder_answers"
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo 'cargo-fuzz is missing. Type: cargo install cargo-fuzz --locked' >&2; exit 1; }
	@command -v c++ >/dev/null || { echo 'A C++ compiler is missing (libFuzzer is C++). Type: sudo apt-get install g++' >&2; exit 1; }
	@for target in $(or $(TARGETS),$(notdir $(basename $(wildcard tests/fuzz/targets/*.rs)))); do \
		echo "fuzzing $$target, $(if $(GIVEN),$(MINUTES) minutes,$(RUNS) runs)"; \
		mkdir -p tests/fuzz/found/$$target; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir tests/fuzz $$target tests/fuzz/found/$$target tests/fuzz/corpus/$$target -- \
			$(if $(GIVEN),-max_total_time=$$(( $(MINUTES) * 60 )),-runs=$(RUNS)) -max_len=1024 -dict=tests/fuzz/dict/$$target.dict -detect_leaks=0 -verbosity=0 -print_final_stats=1 || exit 1; \
	done

fmt: ## is everything formatted?
	$(CARGO) fmt --all --check

# The fuzz targets are a package of their own. For them nothing is linked, so that no C++ compiler is needed for libFuzzer.
lint: ## clippy, warnings denied; the fuzz targets too
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	CUSTOM_LIBFUZZER_PATH=/unused/libFuzzer.a $(CARGO) clippy --locked --manifest-path tests/fuzz/Cargo.toml \
		--target-dir $${CARGO_TARGET_DIR:-target} --lib --bins --tests -- -D warnings

docs: ## the documentation builds, warnings denied
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items --quiet

build: toolchain ## the release binary: target/release/coder-sms-register
	$(RELEASE_BUILD)

# What a release consists of. A static binary is built for each processor, with the same bytes from the same commit.
dist: toolchain ## a release for amd64 and arm64 in target/dist: packages, archives, checksums, parts list, page
	@set -e; for arch in $(ARCHS); do $(MAKE) --no-print-directory package ARCH=$$arch; done
	@CARGO="$(CARGO)" deploy/release.sh $(ARCHS)

deb: toolchain ## a Debian package and an archive for this machine's processor, in target/dist
	@$(MAKE) --no-print-directory package ARCH=$(THIS_ARCH)

package:
	@ARCH=$(ARCH) deploy/toolchain.sh
	@ARCH=$(ARCH) CARGO="$(CARGO)" deploy/dist.sh
	@ARCH=$(ARCH) deploy/debian/build.sh
.PHONY: package

install: ## install what `make deb` has packed, as systemd services: sudo make install PREFIX=/usr/local
	@deploy/install.sh install $(MAKEOVERRIDES)

uninstall: ## remove what `make install` has installed; keeps settings and data
	@deploy/install.sh uninstall $(MAKEOVERRIDES)

run: build redis-server ## run against your .env and the Redis that it names
	@test -f .env || { echo 'There is no .env yet: cp .env-template .env, then fill it in.' >&2; exit 2; }
	@set -a; . ./.env; set +a; exec $(RELEASE)/coder-sms-register

redis: redis-server ## a local Redis for `make run`, in the foreground, with the password of your .env
	@test -f .env || { echo 'There is no .env yet: cp .env-template .env, then fill it in.' >&2; exit 2; }
	@mkdir -p data
	@set -a; . ./.env; set +a; \
		umask 077; printf 'bind 127.0.0.1\nport %s\ndir ./data\nappendonly yes\nappendfsync always\nmaxmemory-policy noeviction\n' \
			"$${REDIS_PORT:-6379}" > data/redis.conf; \
		if [ -n "$${REDIS_PW:-}" ]; then printf 'requirepass "%s"\n' "$$REDIS_PW" >> data/redis.conf; fi; \
		exec $(REDIS_SERVER) data/redis.conf

clean: ## remove what was built
	$(CARGO) clean

# --- with containers ---

COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
# Which commit an image is of, for its label.
export REVISION ?= $(shell git rev-parse --short HEAD 2>/dev/null)
# Newer base images are fetched with an upgrade; make upgrade PULL= does without.
PULL ?= --pull
ifndef FILE
FILE := backup-$(shell date -u +%Y%m%d-%H%M%S).db
endif

up: ## build and start the containers of docker-compose.yml, as your .env says
	@test -f .env || { echo 'There is no .env yet: cp .env-template .env, then fill it in.' >&2; exit 2; }
	$(COMPOSE) up -d --build

# In a container of its own, so that it works whether the service runs or not.
backup: ## copy the containers' database, while they run: make backup FILE=class.db
	@test ! -e '$(FILE)' || { echo '$(FILE) is there already: choose another name.' >&2; exit 2; }
	@umask 077; $(COMPOSE) run --rm -T --no-deps sms backup - > '$(FILE).part' || { rm -f '$(FILE).part'; exit 1; }
	@mv '$(FILE).part' '$(FILE)'; echo 'The backup is $(FILE).'

restore: ## put a backup in place of the containers' database: make restore FILE=class.db
	@test -f '$(FILE)' || { echo 'Say which: make restore FILE=class.db' >&2; exit 2; }
	@trap '$(COMPOSE) up -d' INT TERM; \
		$(COMPOSE) stop sms && $(COMPOSE) run --rm -T sms restore --yes - < '$(FILE)'; result=$$?; $(COMPOSE) up -d && exit $$result

upgrade: backup ## back up, fetch the newest version, build it and start it
	@git symbolic-ref -q HEAD >/dev/null || \
		git checkout --quiet "$$(git symbolic-ref --short refs/remotes/origin/HEAD | sed 's|^origin/||')"
	git pull --ff-only
	@$(MAKE) --no-print-directory change-over

downgrade: ## back up, go to another version, build it and start it: make downgrade TO=v0.1.0
	@test -n '$(TO)' || { echo 'Say to which version: make downgrade TO=v0.1.0' >&2; exit 2; }
	@git rev-parse --verify --quiet '$(TO)^{commit}' >/dev/null || { echo 'There is no version $(TO). Type: git fetch --tags, then git tag' >&2; exit 2; }
	@$(MAKE) --no-print-directory backup
	git checkout --quiet --detach '$(TO)'
	@$(MAKE) --no-print-directory change-over

# Caddy takes its file and its own updates only with a new start.
change-over:
	$(COMPOSE) build $(PULL)
	@tls=$$($(COMPOSE) ps -q tls 2>/dev/null); test -z "$$tls" || test -z "$(PULL)" || $(COMPOSE) pull tls
	$(COMPOSE) up -d
	@tls=$$($(COMPOSE) ps -q tls 2>/dev/null); test -z "$$tls" || $(COMPOSE) restart tls
.PHONY: change-over

# Removes all that it made. KEEP=1 keeps the base images, so that the next run is faster.
docker-test: toolchain ## build the images, run a class in containers, kill them, upgrade, restore: make docker-test ACTS="images class packages"
	$(CARGO) build --locked $(SUPPORT) --bin containers
	@KEEP=$(KEEP) $${CARGO_TARGET_DIR:-target}/debug/containers $(ACTS)

# --- what has to be there ---

toolchain:
	@command -v $(CARGO) >/dev/null || { \
		echo 'Rust is missing: install it from https://rustup.rs (version 1.89 or later).' >&2; exit 1; }
	@command -v cc >/dev/null || { \
		echo 'A C compiler is missing (SQLite and the TLS library are partly C): sudo apt-get install gcc libc6-dev' >&2; exit 1; }
.PHONY: toolchain

redis-server: # installs redis-server if neither it nor Valkey is there; its system service is not started
	@command -v $(REDIS_SERVER) >/dev/null || { \
		if [ '$(REDIS_SERVER)' != redis-server ] || ! command -v apt-get >/dev/null; then \
			echo '$(REDIS_SERVER) is missing: install Redis 6.2 or later, or Valkey, with the package manager of this system.' >&2; exit 1; fi; \
		if [ "$$(id -u)" = 0 ]; then as_root=; \
		elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root=sudo; \
		else echo 'redis-server is missing. Type: su -c "apt-get update && apt-get install -y redis-server"' >&2; exit 1; fi; \
		echo 'Installing redis-server (Debian package) ...'; \
		$$as_root apt-get update -qq && \
		$$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends redis-server >/dev/null && \
		command -v redis-server >/dev/null; } || { \
		echo 'redis-server could not be installed. Type: sudo apt-get update && sudo apt-get install -y redis-server' >&2; exit 1; }

# Firefox (with geckodriver) and WebKit (webkit2gtk-driver, xvfb) are tried where they are; they are not installed here.
browsers: # installs Chromium, its driver and a reader of QR codes (Debian packages) if they are missing
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null && command -v zbarimg >/dev/null || { \
		if ! command -v apt-get >/dev/null; then \
			echo 'Install chromium, chromedriver and zbarimg with the package manager of this system.' >&2; exit 1; fi; \
		if [ "$$(id -u)" = 0 ]; then as_root=; \
		elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root=sudo; \
		else echo 'Type: su -c "apt-get update && apt-get install -y chromium chromium-driver chromium-headless-shell zbar-tools"' >&2; exit 1; fi; \
		echo 'Installing chromium, chromium-driver and zbar-tools (Debian packages) ...'; \
		$$as_root apt-get update -qq && \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium chromium-driver chromium-headless-shell zbar-tools fonts-dejavu-core >/dev/null; } || { \
		echo 'Chromium could not be installed. Type: sudo apt-get install chromium chromium-driver chromium-headless-shell zbar-tools' >&2; exit 1; }
.PHONY: browsers
