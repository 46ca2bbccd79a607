#!/usr/bin/env bash
# Builds Godwit and starts it on the embedded default, from a fresh clone on Debian 12.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
Usage: ./run.sh [--build | --demo]
  (nothing)  install what is missing, build, start the broker, print how to use it; Ctrl-C drains it
  --build    only install and build
  --demo     start the broker with a simulated fleet and keep a live table of channels and rates on the terminal
GODWIT_HTTP_PORT and GODWIT_MQTT_PORT choose other ports than 8480 and 1883 at the first start.
TEXT
}

mode=run
case "${1:-}" in
  "") ;;
  --build) mode=build ;;
  --demo) mode=demo ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

deploy/install-packages.sh build demo
[ -f build/release/build.ninja ] || cmake --preset release -DGODWIT_TESTS=OFF -DGODWIT_BENCH=OFF >build-configure.log 2>&1 || {
  cat build-configure.log >&2
  exit 1
}
rm -f build-configure.log
cmake --build --preset release --target programs
[ $mode = build ] && exit 0

export PATH="$PWD/build/release/bin:$PATH"
mkdir -p run
if [ ! -f run/godwit.env ]; then
  key() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
  (
    umask 077
    cat >run/godwit.env <<ENV
# Made at the first start and kept. Use it with:  source run/godwit.env
export GODWIT_URL=http://127.0.0.1:${GODWIT_HTTP_PORT:-8480}
export GODWIT_APP=demo
export GODWIT_SERVER_KEY=gws_$(key)
export GODWIT_CLIENT_KEY=gwc_$(key)
export GODWIT_ADMIN_KEY=gwa_$(key)
export GODWIT_MQTT_PORT=${GODWIT_MQTT_PORT:-1883}
ENV
  )
fi
source run/godwit.env
if [ ! -f run/godwit.yaml ]; then
  cat >run/godwit.yaml <<YAML
# The embedded default. Every key is described in docs/configuration.md.
data_dir: run/data
http:
  listen: ${GODWIT_URL#http://}
admin_keys: ["\${env:GODWIT_ADMIN_KEY}"]
apps:
  - id: demo
    server_keys: ["\${env:GODWIT_SERVER_KEY}"]
    client_keys: ["\${env:GODWIT_CLIENT_KEY}"]
channels:
  - name: selfconn
    plugin: selfconn
    config:
      tcp: 127.0.0.1:$GODWIT_MQTT_PORT
YAML
fi

if [ $mode = demo ]; then
  exec godwit demo
fi

cat <<TEXT

Godwit starts on $GODWIT_URL with its own long connection (MQTT) on port $GODWIT_MQTT_PORT. In another terminal:

  source run/godwit.env; PATH=\$PWD/build/release/bin:\$PATH
  # 1. Register a device; the answer holds the credential that it connects with.
  DEVICE=\$(curl -s -X PUT \$GODWIT_URL/v1/devices/phone-1 -H "Authorization: Bearer \$GODWIT_CLIENT_KEY" \\
    -H 'Content-Type: application/json' -d '{"user_id":"u42","platform":"android","channels":{"selfconn":{}}}')
  # 2. Hold it with any MQTT client. No subscription is needed for Godwit; mosquitto_sub insists on naming one.
  mosquitto_sub -p \$GODWIT_MQTT_PORT -i phone-1 -u \$GODWIT_APP -P "\$(jq -r .credential <<<"\$DEVICE")" -q 1 -t godwit/inbox &
  # 3. Push.
  curl -s \$GODWIT_URL/v1/messages -H "Authorization: Bearer \$GODWIT_SERVER_KEY" -H 'Content-Type: application/json' \\
    -d '{"to":{"user":"u42"},"notification":{"title":"Hello","body":"It arrived"}}'
  # 4. Did it arrive?
  godwit messages show MESSAGE_ID

TEXT
exec godwitd --config run/godwit.yaml
