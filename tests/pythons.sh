#!/usr/bin/env bash
# Writes pages under every supported Python that this machine has besides .venv's own, and says which it lacks. Each has
# a light environment, .venv-3.12 for example: a page is written without TensorFlow.
#
#   PYTHON=.venv/bin/python bash tests/pythons.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PYTHON=${PYTHON:-.venv/bin/python}
SUPPORTED=(3.11 3.12 3.13)

# A name on PATH may belong to a version manager and run nothing, so each candidate is asked what it is.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

interpreter() {
  local candidate
  for candidate in "python$1" python3 python "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$1".*/bin/python; do
    if [ "$(version_of "$candidate")" = "$1" ]; then
      echo "$candidate"
      return
    fi
  done
}

install() {
  local folder=.venv-$1 stamp=.venv-$1/requirements.stamp
  if [ "$stamp" -nt requirements.txt ] && [ "$stamp" -nt requirements-dev.txt ]; then return; fi
  # Without its own pip, which some systems keep in a package that isn't there; that of .venv installs.
  "$2" -m venv --clear --without-pip "$folder"
  grep --no-filename --extended-regexp '^(pytest|jsonschema)[>=]' requirements-dev.txt >"$folder/requirements.txt"
  grep --invert-match --extended-regexp '^(#|tensorflow|keras)' requirements.txt >>"$folder/requirements.txt"
  "$PYTHON" -m pip --python "$folder/bin/python" install --quiet --disable-pip-version-check --no-compile \
    -r "$folder/requirements.txt"
  touch "$stamp"
}

write_pages() {
  install "$1" "$2"
  ".venv-$1/bin/python" -m pytest --quiet -p no:cacheprovider -m pages tests/page
}

own=$(version_of "$PYTHON")
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
versions=() jobs=()
for version in "${SUPPORTED[@]}"; do
  if [ "$version" = "$own" ]; then continue; fi
  python=$(interpreter "$version")
  if [ -z "$python" ]; then
    echo "Python $version: not found, so no page was written under it"
    continue
  fi
  write_pages "$version" "$python" >"$logs/$version" 2>&1 &
  versions+=("$version") jobs+=($!)
done

failed=0
for ((place = 0; place < ${#versions[@]}; place++)); do
  log=$logs/${versions[place]}
  if wait "${jobs[place]}"; then
    echo "Python ${versions[place]}: pages are written and tested: $(tail -n 1 "$log")"
  else
    failed=1
    echo "Python ${versions[place]}: FAILED" && cat "$log"
  fi
done
exit "$failed"
