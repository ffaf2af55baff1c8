#!/usr/bin/env bash
# See to it that the Nu HTML checker is at hand: a jar in .tools/, and a Java to run it. Where that can't be had, say so
# and go on: the test that needs it is then skipped, and says so too.
set -euo pipefail

version=26.9.27
jar=.tools/node_modules/vnu-jar/build/dist/vnu.jar

missing() {
    echo "no HTML checker, its test will be skipped: $1" >&2
    exit 0
}

have() {
    command -v "$1" >/dev/null 2>&1
}

works() {
    have java && [ -f "${VNU_JAR:-$jar}" ] && java -jar "${VNU_JAR:-$jar}" --version >/dev/null 2>&1
}

works && exit 0
if ! { have java && have npm; } && [ "$(id -u)" = 0 ] && have apt-get; then
    echo "installing Java and npm with apt-get" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 || missing "apt-get update failed"
    apt-get install -y -qq --no-install-recommends default-jre-headless npm >&2 || missing "apt-get has no Java or no npm"
fi
have java || missing "install Java, 11 or newer (Debian: apt-get install default-jre-headless)"
have npm || missing "install npm, or name the jar: VNU_JAR=/path/to/vnu.jar make test"
echo "installing vnu-jar $version with npm" >&2
mkdir -p .tools
npm install --prefix .tools --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "vnu-jar@$version" >&2 \
    || missing "npm can't install vnu-jar"
works || missing "the checker doesn't start"
