#!/usr/bin/env bash
# A container engine for the tests of this folder, on a Debian machine where we are root and none is running.
#
#   engine.sh start DIRECTORY   install what is missing, start dockerd, print the line that points clients at it
#   engine.sh stop DIRECTORY    stop it and remove its network device
#
# All of its data lies in DIRECTORY. The flags keep it from writing firewall rules and from turning forwarding on:
# containers then reach this machine (over a bridge of their own) and nothing else.
set -euo pipefail

command=$1 directory=$2
socket=unix://$directory/docker.sock

start() {
    if ! command -v dockerd >/dev/null || ! command -v ip >/dev/null || ! [ -x /bin/busybox ]; then
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            docker.io iptables iproute2 busybox-static >"$directory/apt.log" 2>&1 || { tail -n 20 "$directory/apt.log" >&2; exit 1; }
    fi
    # Not docker0, which another engine may be using, or remove.
    local bridge=vezne$$ subnet=172.30.$(($$ % 256)).1/24
    ip link add name "$bridge" type bridge
    echo "$bridge" >"$directory/bridge"
    ip address add "$subnet" dev "$bridge"
    ip link set "$bridge" up
    setsid dockerd --data-root "$directory/data" --exec-root "$directory/run" --pidfile "$directory/dockerd.pid" \
        --host "$socket" --bridge "$bridge" --iptables=false --ip6tables=false --ip-masq=false --ip-forward=false \
        >"$directory/dockerd.log" 2>&1 &
    local tries
    for tries in $(seq 150); do
        if grep -q "API listen on" "$directory/dockerd.log"; then
            echo "export DOCKER_HOST=$socket"
            return
        fi
        sleep 0.1
    done
    echo "dockerd did not start within 15 s:" >&2
    tail -n 20 "$directory/dockerd.log" >&2
    stop
    exit 1
}

stop() {
    local pid bridge
    if pid=$(cat "$directory/dockerd.pid" 2>/dev/null) && kill "$pid" 2>/dev/null; then
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    fi
    if bridge=$(cat "$directory/bridge" 2>/dev/null); then ip link delete "$bridge" 2>/dev/null || true; fi
}

"$command"
