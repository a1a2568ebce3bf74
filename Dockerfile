# The images of coder-sms-register. It has plain instructions only, so that the classic builder of older Docker
# engines can build them too.
#
#   docker build -t coder-sms-register .                                          the service
#   docker build --target redis_stage -t coder-sms-reg-redis-testing .            its Redis
ARG DEBIAN_IMAGE=debian:trixie-slim
ARG RUST_IMAGE=rust:1-slim-trixie


# --- Redis: the same for development and production. It needs REDIS_PW, or REDIS_PW_FILE -----------------------
FROM ${DEBIAN_IMAGE} AS redis_stage
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log /etc/redis \
    && install -d -o 10002 -g 10002 -m 0700 /data \
    # Older command lines for an Alpine image call this shell.
    && ln -s dash /bin/ash
COPY deploy/redis/redis.conf /etc/redis/redis.conf
# Comes before /usr/bin in the path, so that every way to start Redis in this image sets the password and the settings.
COPY deploy/redis/redis-server deploy/redis/redis-healthcheck /usr/local/bin/
WORKDIR /data
USER 10002:10002
EXPOSE 6379
HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD ["redis-healthcheck"]
CMD ["redis-server"]


# --- The program, linked statically against musl ----------------------------------------------------------------
FROM ${RUST_IMAGE} AS build_stage
# Empty = this machine's own architecture.
ARG RUST_TARGET=
RUN apt-get update \
    && apt-get install -y --no-install-recommends musl-tools \
    && rm -rf /var/lib/apt/lists/* \
    && rustup target add "${RUST_TARGET:-$(uname -m)-unknown-linux-musl}"
WORKDIR /build
# The dependencies are a layer of their own, so that a change of the source does not build them again. Cargo requires
# every target that Cargo.toml names.
COPY Cargo.toml Cargo.lock ./
COPY deploy/build.rs deploy/order-file deploy/sqlite-flags deploy/
COPY tests/support/Cargo.toml tests/support/
RUN mkdir -p src tests/it tests/support/src \
    && touch src/lib.rs tests/support/src/lib.rs \
    && for main in src tests/it; do echo 'fn main() {}' > "$main/main.rs"; done \
    && LIBSQLITE3_FLAGS="$(cat deploy/sqlite-flags)" \
        cargo build --locked --release --bins --target "${RUST_TARGET:-$(uname -m)-unknown-linux-musl}"
COPY src src
# Newer than what was built from the empty files, whatever the dates in the checkout are.
RUN touch src/lib.rs src/main.rs \
    && LIBSQLITE3_FLAGS="$(cat deploy/sqlite-flags)" \
        cargo build --locked --release --bins --target "${RUST_TARGET:-$(uname -m)-unknown-linux-musl}" \
    && install -d /out/data \
    && cp "target/${RUST_TARGET:-$(uname -m)-unknown-linux-musl}/release/coder-sms-register" /out/ \
    && /out/coder-sms-register --version


# --- The service: this one file and an empty folder -------------------------------------------------------------
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="coder-sms-register" \
      org.opencontainers.image.description="Students text a phrase and get a temporary Coder account; it is removed when the class is over" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build_stage /out/coder-sms-register /usr/local/bin/coder-sms-register
# A new volume takes the owner of the folder that it is mounted over.
COPY --from=build_stage --chown=10001:10001 /out/data /var/lib/coder-sms-register
ENV CODER_REG_DATA_DIR=/var/lib/coder-sms-register \
    CODER_REG_LISTEN=0.0.0.0:8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/usr/local/bin/coder-sms-register", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/coder-sms-register"]
