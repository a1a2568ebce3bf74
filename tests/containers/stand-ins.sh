#!/bin/sh
# Provides every base image under its name. An image that is missing is pulled, or, if no registry can be reached,
# made from Debian's packages and this machine's Rust. Such a stand-in has the label "stand-in" and is larger.
#   tests/containers/stand-ins.sh [--list]
# --list prints the names only.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)

value_of() { # the default of an ARG of the Dockerfile
    sed -n "s/^ARG $1=//p" "$project/Dockerfile" | head -n 1
}
debian=$(value_of DEBIAN_IMAGE)
rust=$(value_of RUST_IMAGE)
caddy=$(sed -n 's/^ *image: *\(caddy:.*\)/\1/p' "$project/docker-compose.yml")
bookworm=debian:bookworm-slim

if [ "${1:-}" = --list ]; then
    printf '%s\n' "$debian" "$rust" "$caddy" "$bookworm"
    exit
fi

is_there() {
    docker image inspect "$1" >/dev/null 2>&1
}

# After the first failure the registry is not tried again for the other images.
offline=
have() {
    is_there "$1" && return 0
    [ -z "$offline" ] || return 1
    echo "pulling $1"
    timeout 300 docker pull -q "$1" >/dev/null 2>&1 && return 0
    echo "no registry can be reached: making the base images here, which takes minutes"
    offline=yes
    return 1
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

need_debootstrap() {
    command -v debootstrap >/dev/null || [ -x /usr/sbin/debootstrap ] && return 0
    command -v apt-get >/dev/null || {
        echo 'debootstrap is missing: install it, or let this machine reach an image registry.' >&2
        exit 1
    }
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
}

make_debian() { # name
    release=${1#debian:}
    release=${release%-slim}
    need_debootstrap
    echo "making $1 with debootstrap"
    as_root env PATH="$PATH:/usr/sbin:/sbin" debootstrap --variant=minbase "$release" "$scratch/$release" http://deb.debian.org/debian \
        >"$scratch/debootstrap.log" 2>&1 || {
        tail -n 5 "$scratch/debootstrap.log" >&2
        exit 1
    }
    as_root rm -rf "$scratch/$release/var/cache/apt/archives" "$scratch/$release/var/lib/apt/lists"
    as_root tar -C "$scratch/$release" -c . |
        docker import -c 'LABEL stand-in=debian' -c 'CMD ["bash"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$1" >/dev/null
    as_root rm -rf "${scratch:?}/$release"
}

# With the layout of the original: RUSTUP_HOME=/usr/local/rustup, CARGO_HOME=/usr/local/cargo.
make_rust() { # name
    command -v rustup >/dev/null || {
        echo "$1 cannot be made here: the Rust of this machine was not installed by rustup." >&2
        exit 1
    }
    echo "making $1 from this machine's Rust"
    rustup target add "$(uname -m)-unknown-linux-musl" >/dev/null 2>&1 || {
        echo "rustup cannot fetch the target $(uname -m)-unknown-linux-musl" >&2
        exit 1
    }
    toolchain=$(rustup show active-toolchain | cut -d ' ' -f 1)
    mkdir -p "$scratch/rust/toolchain"
    for part in bin lib libexec; do
        folder=$(rustc --print sysroot)/$part
        [ ! -d "$folder" ] || cp -a "$folder" "$scratch/rust/toolchain/"
    done
    rm -rf "$scratch/rust/toolchain/lib/rustlib/src" "$scratch"/rust/toolchain/lib/rustlib/wasm*
    cp "$(rustup which cargo | xargs dirname)/../lib/rustlib/components" "$scratch/rust/components" 2>/dev/null || true
    cp "$(command -v rustup)" "$scratch/rust/rustup"
    # A machine whose TLS is inspected on the way has an authority of its own.
    cp /etc/ssl/certs/ca-certificates.crt "$scratch/rust/ca-certificates.crt"
    cat >"$scratch/rust/Dockerfile" <<DOCKERFILE
FROM $debian
RUN apt-get update \\
    && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev \\
    && rm -rf /var/lib/apt/lists/*
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo \\
    PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    RUSTUP_TOOLCHAIN=$toolchain RUSTUP_AUTO_INSTALL=0
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY rustup /usr/local/cargo/bin/rustup
RUN for tool in cargo rustc; do ln -s rustup /usr/local/cargo/bin/\$tool; done
COPY toolchain /usr/local/rustup/toolchains/$toolchain
RUN rustup --version && cargo --version
LABEL stand-in=rust
DOCKERFILE
    docker build -q -t "$1" "$scratch/rust" >/dev/null
    rm -rf "$scratch/rust"
}

# Debian's caddy, with the file capability that the original has.
make_caddy() { # name
    echo "making $1 from Debian's package"
    mkdir -p "$scratch/caddy"
    cat >"$scratch/caddy/Dockerfile" <<DOCKERFILE
FROM $debian
RUN apt-get update \\
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates caddy libcap2-bin \\
    && rm -rf /var/lib/apt/lists/* \\
    && setcap cap_net_bind_service=+ep /usr/bin/caddy \\
    && mkdir -p /config/caddy /data/caddy /etc/caddy /srv
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
WORKDIR /srv
EXPOSE 80 443 2019
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
LABEL stand-in=caddy
DOCKERFILE
    docker build -q -t "$1" "$scratch/caddy" >/dev/null
}

have "$debian" || make_debian "$debian"
have "$rust" || make_rust "$rust"
have "$caddy" || make_caddy "$caddy"
have "$bookworm" || make_debian "$bookworm"
