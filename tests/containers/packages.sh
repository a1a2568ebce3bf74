#!/bin/sh
# Installs what `make deb` has made in Debian containers with systemd as process 1, and does what an
# operator does: install, fill in, start, kill, upgrade, remove, purge.
#
#   tests/containers/packages.sh IMAGE PACKAGE.deb RELEASE.tar.gz [SERVER]
#
# IMAGE: Debian 12 or later with apt and its package sources, such as debian:bookworm-slim. From it an
# image with systemd is built, coder-sms-register-test-systemd. SERVER: redis-server or valkey-server, the
# package that is installed first. Prints a line for each point seen; the first failure ends it with exit
# code 1 and the journal. Coder and Twilio are closed ports: an accepted text waits in Redis through all of it.
set -eu

SERVICE=coder-sms-register
REDIS=coder-sms-register-redis
CONFIG=/etc/coder-sms-register
SERVER=${SERVER:-redis-server}
SOCKET=/run/coder-sms-register-redis/redis.sock
TOKEN=fedcba9876543210fedcba9876543210
URL=https://sms.example.org/inbound

# --- checks and their output ---

fail() {
	echo "FAILED: $*" >&2
	journalctl --no-pager -n 40 -u $SERVICE -u $REDIS >&2 2>/dev/null || true
	exit 1
}

# seen WORDS COMMAND...: the command must succeed.
seen() {
	words=$1
	shift
	"$@" >/tmp/seen 2>&1 || fail "$words: $*: $(head -c 2000 /tmp/seen)"
	echo "ok: $words"
}

# same WORDS EXPECTED FOUND
same() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
	echo "ok: $1"
}

# within SECONDS COMMAND...: the command succeeds at last.
within() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# Further lines of the answer name what keeps students from being served, which is Coder and Twilio here.
healthy() { [ "$(curl -fsS -m 2 http://127.0.0.1:8000/healthz | head -n 1)" = ok ]; }
active() { systemctl --quiet is-active $SERVICE && systemctl --quiet is-active $REDIS; }
pid_of() { systemctl show -P MainPID "$1"; }
state_of() { systemctl show -P ActiveState "$1"; }
modes() { stat -c '%a %U %G' "$1"; }
redis() { "${SERVER%-server}-cli" -s $SOCKET "$@"; }
texts() { redis XLEN coder-sms-register:texts; }
refused() { redis "$@" 2>&1 | grep -qE 'NOPERM|command not allowed'; }
new_pid() { [ "$(pid_of "$1")" != "$2" ] && [ "$(pid_of "$1")" != 0 ]; }
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 "$@"; }

# --- what both ways to install have in common ---

# The settings that a test needs, into the env file that the installation made.
fill_in() {
	set -- TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef TWILIO_ACCOUNT_TOKEN=$TOKEN \
		FROM_NUM=+14155550123 "TWILIO_WEBHOOK_URL='$URL#rc=3\&rp=ct,rt,5xx'" CODER_API_URL=http://127.0.0.1:9 \
		CODER_API_KEY=0123456789-ABCDEFGHIJKLMNOPQRSTUV CODER_EMAIL_DOM=example.org CODER_REG_PASS=iamreadytolearn
	for pair in "$@"; do
		sed -i "s|^${pair%%=*}=.*|$pair|" $CONFIG/env
	done
	sed -i 's|^#TWILIO_API_URL=.*|TWILIO_API_URL=http://127.0.0.1:9|' $CONFIG/env
}

# text_in NUMBER: a webhook signed as Twilio signs it; prints the answer's code.
text_in() {
	sid=SM0000000000000000000000000000000$1
	account=AC0123456789abcdef0123456789abcdef
	signed="${URL}AccountSid${account}BodyiamreadytolearnFrom+1202555010${1}MessageSid${sid}To+14155550123"
	signature=$(printf %s "$signed" | openssl dgst -sha1 -hmac $TOKEN -binary | base64)
	curl -sS -m 5 -o /dev/null -w '%{http_code}' -H "X-Twilio-Signature: $signature" \
		--data-urlencode "AccountSid=$account" --data-urlencode Body=iamreadytolearn \
		--data-urlencode "From=+1202555010$1" --data-urlencode "MessageSid=$sid" \
		--data-urlencode To=+14155550123 http://127.0.0.1:8000/inbound
}

check_running() {
	seen 'both units are active' within 10 active
	seen 'GET /healthz says ok' within 10 healthy
	seen 'and healthcheck too' $SERVICE healthcheck
	same 'the service is its own user' $SERVICE "$(ps -o user:32= -p "$(pid_of $SERVICE)")"
	same 'its Redis is another user' $REDIS "$(ps -o user:32= -p "$(pid_of $REDIS)")"
	same 'the env file is for root only' '600 root root' "$(modes $CONFIG/env)"
	same 'the folder of credentials is for root only' '700 root root' "$(modes $CONFIG/credentials)"
	same 'the data folder is for the service only' "700 $SERVICE $SERVICE" "$(modes /var/lib/$SERVICE)"
	same 'so is the database' "600 $SERVICE $SERVICE" "$(modes /var/lib/$SERVICE/registrations.db)"
	same "Redis's folder is for Redis only" "700 $REDIS $SERVICE" "$(modes /var/lib/$REDIS)"
	same 'the socket is for the group' "770 $REDIS $SERVICE" "$(modes $SOCKET)"
	if runuser -u nobody -- "${SERVER%-server}-cli" -s $SOCKET PING 2>&1 | grep -q PONG; then fail 'nobody reaches Redis'; fi
	echo 'ok: others do not reach Redis'
	uid=$(id -u $REDIS)
	same 'Redis listens on no port' '' "$(awk -v uid="$uid" '$4 == "0A" && $8 == uid' /proc/net/tcp /proc/net/tcp6)"
	for command in FLUSHALL FLUSHDB 'CONFIG GET dir' 'DEBUG SLEEP 0' SHUTDOWN 'KEYS x' 'REPLICAOF NO ONE' 'EVAL 1 0' \
		'SAVE' 'ACL LIST' 'MODULE LIST' 'CLIENT KILL 1' 'CLIENT LIST' 'MONITOR' 'GET other' 'DEL coder-sms-register:texts'; do
		# shellcheck disable=SC2086
		refused $command || fail "Redis allows $command"
	done
	echo 'ok: Redis refuses what the service does not need'
	for unit in $SERVICE $REDIS; do
		level=$(systemd-analyze security --no-pager $unit.service | sed -n 's/.*Overall exposure level[^:]*: \([0-9.]*\).*/\1/p')
		awk -v level="$level" 'BEGIN { exit !(level != "" && level <= 1.5) }' || fail "$unit is exposed: $level"
		echo "ok: exposure of $unit: $level"
	done
}

check_life() {
	same 'a signed text is taken' 200 "$(text_in 1)"
	same 'and waits in Redis' 1 "$(texts)"

	pid=$(pid_of $SERVICE)
	kill -KILL "$pid"
	seen 'killed, the service is back' within 10 new_pid $SERVICE "$pid"
	seen 'and healthy' within 10 healthy
	pid=$(pid_of $REDIS)
	kill -KILL "$pid"
	seen 'killed, Redis is back' within 10 new_pid $REDIS "$pid"
	seen 'and the service healthy' within 10 healthy
	same 'the text still waits' 1 "$(texts)"

	began=$(date +%s%N)
	systemctl stop $SERVICE
	took=$((($(date +%s%N) - began) / 1000000))
	[ "$took" -lt 5000 ] || fail "the stop took $took ms"
	echo "ok: stopped in $took ms"
	same 'and left well' 0 "$(systemctl show -P ExecMainStatus $SERVICE)"

	cp -p $CONFIG/env /root/env
	sed -i 's/^CODER_REMOVE_TIME=.*/CODER_REMOVE_TIME=soon/' $CONFIG/env
	systemctl start $SERVICE || true
	seen 'wrong settings end it' within 10 test "failed" = "$(sleep 2; state_of $SERVICE)"
	same 'by exit code 2' 2 "$(systemctl show -P ExecMainStatus $SERVICE)"
	same 'without another start' 0 "$(systemctl show -P NRestarts $SERVICE)"
	seen 'and the journal names the setting' sh -c "journalctl -u $SERVICE --no-pager | grep CODER_REMOVE_TIME"
	cp -p /root/env $CONFIG/env

	# The empty variable in env, the secret in a file that only root reads.
	sed -i 's/^TWILIO_ACCOUNT_TOKEN=.*/TWILIO_ACCOUNT_TOKEN=/' $CONFIG/env
	(umask 077; echo $TOKEN >$CONFIG/credentials/TWILIO_ACCOUNT_TOKEN)
	systemctl start $SERVICE
	seen 'with a secret from credentials/ it is healthy' within 10 healthy
	same 'and takes a text signed with it' 200 "$(text_in 2)"
	same 'which waits as well' 2 "$(texts)"
	if journalctl -u $SERVICE -u $REDIS --no-pager | grep -E "$TOKEN|ABCDEFGHIJ|202555010|iamready"; then
		fail 'the journal tells a secret or a phone'
	fi
	echo 'ok: the journal tells no secret and no phone'
	if journalctl -u $SERVICE --no-pager | grep -iE 'redis.*(refuses|password)'; then fail 'Redis refuses the service something'; fi
	echo 'ok: Redis refuses the service nothing'
}

# --- inside a container ---

# Files, users and groups of the system, but for what every use of apt leaves.
system_state() {
	find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /root -o -path /var/cache -o -path /var/log \
		-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/tmp -o -path /var/lib/systemd \) -prune -o -print | sort
	cut -d : -f 1 /etc/passwd /etc/group
}

# other_version VERSION FILE: the package once more, as VERSION, with a redis.conf that differs.
other_version() {
	rm -rf /tmp/other
	dpkg-deb -R /tmp/package.deb /tmp/other
	sed -i "s/^Version: .*/Version: $1/" /tmp/other/DEBIAN/control
	echo "# as of $1" >>/tmp/other/etc/coder-sms-register/redis.conf
	dpkg-deb --root-owner-group -b /tmp/other "$2" >/dev/null
}

version() { dpkg-query -W -f '${Version}' $SERVICE; }

inside_deb() {
	apt update
	# The package's dependencies are installed first, so that the rest is the package's own.
	apt install --no-install-recommends "$SERVER" >/dev/null 2>&1
	system_state >/root/before
	apt install /tmp/package.deb >/root/install.log 2>&1 || fail "the package does not install: $(cat /root/install.log)"
	echo 'ok: the package installs'
	seen 'and says what to do next' grep -q 'sudoedit /etc/coder-sms-register/env' /root/install.log
	same 'not started while its settings are empty' inactive "$(state_of $SERVICE)"
	same 'its Redis runs' active "$(state_of $REDIS)"
	same 'and is the server that was installed' "${SERVER%-server}" "$(redis INFO server | sed -n 's/^server_name:\([a-z]*\).*/\1/p' | grep . || echo redis)"
	same 'both are enabled' 'enabled enabled' "$(systemctl is-enabled $SERVICE $REDIS | xargs)"
	seen 'the units are in order' systemd-analyze verify --man=no /usr/lib/systemd/system/$SERVICE.service /usr/lib/systemd/system/$REDIS.service
	fill_in
	seen 'config finds the env file and the credentials' $SERVICE config
	systemctl start $SERVICE
	check_running
	check_life

	installed=$(version)
	echo '# ours' >>$CONFIG/redis.conf
	sum=$(cat $CONFIG/env $CONFIG/redis.conf $CONFIG/credentials/* | md5sum)
	pid=$(pid_of $SERVICE)
	other_version 99.0 /tmp/newer.deb
	seen 'an upgrade installs' apt -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install /tmp/newer.deb
	same 'it is there' 99.0 "$(version)"
	seen 'the service was started anew' new_pid $SERVICE "$pid"
	seen 'and is healthy' within 10 healthy
	same 'settings are kept' "$sum" "$(cat $CONFIG/env $CONFIG/redis.conf $CONFIG/credentials/* | md5sum)"
	same 'texts still wait' 2 "$(texts)"
	seen 'a downgrade installs' apt -o Dpkg::Options::=--force-confold install --allow-downgrades /tmp/package.deb
	same 'the old version is back' "$installed" "$(version)"
	seen 'healthy' within 10 healthy

	systemctl disable --now $SERVICE 2>/dev/null
	seen 'upgraded while disabled' apt -o Dpkg::Options::=--force-confold install /tmp/newer.deb
	same 'it stays disabled' disabled "$(systemctl is-enabled $SERVICE || true)"
	same 'and stopped' inactive "$(state_of $SERVICE)"
	systemctl enable --now $SERVICE 2>/dev/null
	seen 'started again' within 10 healthy

	apt remove $SERVICE >/root/remove.log 2>&1 || fail "it cannot be removed: $(cat /root/remove.log)"
	seen 'it is removed, with a warning of the accounts that it knows' grep -q 'WARNING: 2 accounts' /root/remove.log
	seen 'its processes are gone' sh -c "! pgrep -u $SERVICE && ! pgrep -u $REDIS"
	same 'settings stay' "$sum" "$(cat $CONFIG/env $CONFIG/redis.conf $CONFIG/credentials/* | md5sum)"
	seen 'data stay' test -s /var/lib/$SERVICE/registrations.db
	seen 'installed again' apt -o Dpkg::Options::=--force-confold install /tmp/package.deb
	seen 'it runs at once, as its settings are complete' within 10 healthy
	same 'and the texts still wait' 2 "$(texts)"

	apt purge $SERVICE >/root/purge.log 2>&1 || fail "it cannot be purged: $(cat /root/purge.log)"
	seen 'it is purged, with a warning of the accounts that it knew' grep -q 'WARNING: 2 accounts' /root/purge.log
	system_state >/root/after
	same 'nothing is left' '' "$(diff /root/before /root/after || true)"
	same 'no unit is left failed' '' "$(systemctl --failed --no-legend --plain | grep coder || true)"
}

inside_tar() {
	apt update
	apt install --no-install-recommends "$SERVER" >/dev/null 2>&1
	mkdir /root/release
	tar -C /root/release --strip-components=1 -xzf /tmp/release.tar.gz
	cd /root/release
	seen 'make install from the archive' make install
	seen 'the units are in order' systemd-analyze verify --man=no /usr/local/lib/systemd/system/$SERVICE.service /usr/local/lib/systemd/system/$REDIS.service
	fill_in
	seen 'config finds the env file and the credentials' $SERVICE config
	systemctl enable --now $REDIS $SERVICE 2>/dev/null
	check_running
	check_life
	sum=$(cat $CONFIG/env $CONFIG/credentials/* | md5sum)
	seen 'installed over itself' make install
	same 'settings are kept' "$sum" "$(cat $CONFIG/env $CONFIG/credentials/* | md5sum)"
	systemctl restart $REDIS $SERVICE
	seen 'restarted, it is healthy' within 10 healthy
	same 'and the texts still wait' 2 "$(texts)"
	seen 'uninstalled' make uninstall
	same 'settings stay' "$sum" "$(cat $CONFIG/env $CONFIG/credentials/* | md5sum)"
	seen 'the program is gone' test ! -e /usr/local/bin/$SERVICE
	same 'nothing runs' '' "$(pgrep -u $SERVICE || true)$(pgrep -u $REDIS || true)"
	seen 'installed under another prefix' make install PREFIX=/opt/sms
	seen 'the unit names it' grep -q '^ExecStart=/opt/sms/bin/coder-sms-register run' /usr/local/lib/systemd/system/$SERVICE.service
	systemctl start $SERVICE
	seen 'it runs from there' within 10 healthy
	same 'and the texts still wait' 2 "$(texts)"
	seen 'uninstalled' make uninstall
	seen 'from there' test ! -e /opt/sms/bin/$SERVICE
}

case ${1:-} in
inside-deb)
	inside_deb
	exit
	;;
inside-tar)
	inside_tar
	exit
	;;
esac

# --- outside ---

[ $# -ge 3 ] && [ -f "$2" ] && [ -f "$3" ] || {
	echo 'Usage: tests/containers/packages.sh IMAGE PACKAGE.deb RELEASE.tar.gz [SERVER]' >&2
	exit 2
}
SERVER=${4:-redis-server}
container=
# shellcheck disable=SC2317
clean_up() { [ -z "$container" ] || docker rm -f "$container" >/dev/null; }
trap clean_up EXIT
trap 'exit 1' INT TERM

echo "building an image of $1 with systemd"
docker build -q -t coder-sms-register-test-systemd - >/dev/null <<DOCKERFILE
FROM $1
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	systemd systemd-sysv dbus procps curl openssl make && apt-get clean
STOPSIGNAL SIGRTMIN+3
# systemd hands credentials to a service by a mount, which must be seen outside of where it was made.
CMD ["sh", "-c", "mount --make-rshared / && exec /lib/systemd/systemd"]
DOCKERFILE

# More than Docker's usual, less than --privileged: systemd mounts and makes namespaces (SYS_ADMIN), writes
# the users of those whose /proc is private (SYS_PTRACE), and sets up a loopback of their own (NET_ADMIN). With
# cgroup v2 it wants to write below its own group, with v1 Docker's read-only view is enough.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	groups='--cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw'
else
	groups='-v /sys/fs/cgroup:/sys/fs/cgroup:ro'
fi
for way in deb tar; do
	echo "--- $way on $1 with $SERVER"
	# shellcheck disable=SC2086
	container=$(docker run -d --cap-add SYS_ADMIN --cap-add SYS_PTRACE --cap-add NET_ADMIN \
		--security-opt seccomp=unconfined --security-opt apparmor=unconfined --tmpfs /run --tmpfs /run/lock --tmpfs /tmp:exec $groups -e container=docker coder-sms-register-test-systemd)
	# Not by docker cp, which does not see the mount on /tmp.
	docker exec -i "$container" sh -c 'cat >/root/packages.sh' <"$0"
	tries=60
	until docker exec "$container" systemctl is-system-running --wait >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { echo 'FAILED: systemd does not come up in a container here' >&2; exit 1; }
		sleep 0.5
	done
	docker exec -i "$container" sh -c 'cat >/tmp/package.deb' <"$2"
	docker exec -i "$container" sh -c 'cat >/tmp/release.tar.gz' <"$3"
	docker exec -e SERVER="$SERVER" "$container" sh /root/packages.sh "inside-$way"
	docker rm -f "$container" >/dev/null
	container=
done
