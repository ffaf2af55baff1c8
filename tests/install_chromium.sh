#!/usr/bin/env bash
# See to it that there is a Chromium for the browser tests: the machine's own, else Debian's, else Playwright's.
set -euo pipefail

works() {
    "$1" --version >/dev/null 2>&1
}

for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && works "$name"; then
        echo "Chromium: $(command -v "$name")" >&2
        exit 0
    fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Chromium with apt-get" >&2
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >&2 \
        && works chromium; then
        exit 0
    fi
    echo "apt-get has no Chromium that runs; trying Playwright's" >&2
fi

echo "installing Chromium with Playwright" >&2
if ! "${PYTHON:-python3}" -m playwright install chromium >&2; then
    echo "no Chromium: install it (Debian: apt-get install chromium), or name one: CHROMIUM=/path/to/chromium make test" >&2
    exit 1
fi
