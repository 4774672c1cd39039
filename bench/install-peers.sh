#!/bin/sh
# Installs the engines that bench/engines.ts compares with, away from the product: Python ones into a virtual
# environment, npm ones into a package of their own, both below bench/.work. make and ninja come with the system.
set -eu
cd "$(dirname "$0")"
peers=.work/peers
mkdir -p "$peers/npm"

python3 -m venv "$peers/python"
"$peers/python/bin/pip" install --quiet --disable-pip-version-check dvc snakemake redun
"$peers/python/bin/python" -m compileall -q "$peers/python/lib" || true # without .pyc files they start three times slower

cd "$peers/npm"
[ -f package.json ] || echo '{ "private": true }' > package.json
npm install --no-audit --no-fund --silent wireit turbo

echo "installed below bench/$peers:"
cd - > /dev/null
"$peers/python/bin/dvc" --version
"$peers/python/bin/snakemake" --version
"$peers/python/bin/pip" list --disable-pip-version-check 2> /dev/null | grep '^redun'
npm --prefix "$peers/npm" ls --depth 0 | grep -E 'wireit|turbo'
for tool in make ninja strace; do command -v "$tool" > /dev/null || echo "not there: $tool (install it with the system's package manager)"; done
