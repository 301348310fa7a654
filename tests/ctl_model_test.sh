#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ticketctl model: learn, ask, test, replace by a better one, refuse a worse one, take back.
set -u
build=$(cd "${TKT_BUILDDIR:-build}" && pwd)
ctl=$build/ticketctl/ticketctl
[ -x "$ctl" ] && [ -x "$build/ticket-train" ] || { echo "SKIP: not built"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 99
unset SOURCE_DATE_EPOCH
fail=0
bad() {
    echo "FAIL: $*"
    fail=1
}
printf 'desk "it" {\n addresses = {"it@example.org"}\n prefix = "IT"\n}\n' >conf
# What models do not need may be wrong.
printf 'rule "r" { nobody_knows_this = yes }\nitsm "x" { type = "jira" }\n' >>conf
"$ctl" -c conf config test 2>/dev/null && bad "the configuration is right"
run() { "$ctl" -c conf model "$@"; }
train() { run train --trainer "$build/ticket-train" "$@"; }

# data FROM TO: texts with their labels, all different.
data() {
    local i
    for ((i = $1; i < $2; i++)); do
        printf '"the printer in room %d is jammed, toner %d",printer,it\n' "$i" $((i * 7))
        printf 'I forgot my password %d and cannot sign in %d,password,it\n' "$i" $((i * 3))
        printf 'please approve my vacation number %d in June %d,leave,hr\n' "$i" $((i * 5))
    done
}
{ echo text,category,group; data 0 40; } >a.csv
train -q --out a --date 2026-11-22 a.csv || bad "train"
[ "$(printf 'toner is empty\n\nnothing known: qqqq\nForgot PASSWORD' | run predict --model a |
    cut -f1 | tr '\n' ' ')" = "printer   password " ] || bad "predict: labels"
echo "the printer is jammed" | run predict --model a |
    grep -qE $'^printer\t(0\\.[0-9]{4}|1\\.0000)\tit\t[01]\\.[0-9]{4}$' || bad "predict: form"
echo "the printer is jammed" | run predict --model a --json |
    /usr/bin/python3 -c 'import json,sys; j = json.load(sys.stdin)
assert j["category"]["label"] == "printer" and j["group"]["label"] == "it", j
assert any("printer" in w for w in j["category"]["words"]), j' || bad "predict --json"

# The same records: the same file, from a pipe, from JSON, by any number of processes.
train -q --out b --date 2026-11-22 --workers 1 - <a.csv || bad "train -"
cmp a b || bad "not the same file from standard input"
/usr/bin/python3 -c 'import csv, json
for r in csv.DictReader(open("a.csv")): print(json.dumps(r))' >a.jsonl
train -q --out b --date 2026-11-22 a.jsonl || bad "train of JSON"
cmp a b || bad "not the same file from JSON"
SOURCE_DATE_EPOCH=1795305600 train -q --out b a.csv && cmp a b || bad "SOURCE_DATE_EPOCH"

run test --model a a.csv | /usr/bin/python3 -c 'import json,sys
lines = sys.stdin.read().splitlines(); assert len(lines) == 1, lines
j = json.loads(lines[0]); assert j["n"] == 120 and j["accuracy"] > 0.99, j
for k in "macro_f1", "top3", "coverage95", "us_per_message": assert j[k] > 0, k
assert j["heads"]["group"]["n"] == 120, j' || bad "test"
printf 'text,category\nthe printer is jammed,never seen\n' |
    run test --model a - | grep -q '"accuracy":0.0000' || bad "a label never seen"
run show --model a printer | grep -q toner || bad "show LABEL"
run show --model a nolabel 2>/dev/null && bad "show of a label that is not there"
run show --model a | grep -q 'date: 2026-11-22' || bad "show: date"
run show --model a --json | /usr/bin/python3 -c 'import json,sys
j = json.load(sys.stdin); assert j["about"]["records"] == 120, j
assert "toner" in j["heads"]["category"]["printer"], j' || bad "show --json"

# Wrong data names its place; a wrong model its reason.
refuses() {
    local want=$1 code=$2
    shift 2
    "$@" >out 2>err </dev/null
    [ $? -eq "$code" ] || bad "$*: not $code"
    grep -qF -- "$want" err || bad "$* does not say $want: $(cat err)"
}
printf 'text,category\nok,a\nno label at all,b,c\n' >bad.csv
refuses 'bad.csv:3: 3 fields' 65 train --out x bad.csv
printf 'text,category\nok,"a\nb"\n' >bad.csv
refuses 'bad.csv:2: category: not one line' 65 train --out x bad.csv
printf 'text,category\nok,a\xff\n' >bad.csv
refuses 'bad.csv:2: category: not UTF-8' 65 train --out x bad.csv
printf 'text,category\nok,%0200d\n' 1 >bad.csv
refuses 'longer than 100 bytes' 65 train --out x bad.csv
printf 'body,category\nok,a\n' >bad.csv
refuses 'no column text' 65 train --out x bad.csv
printf '{"text":"a","category":"x"}\n{"text":\n' >bad.json
refuses 'bad.json:2: not a JSON object' 65 train --out x bad.json
printf 'text,category\none,a\ntwo,a\n' >bad.csv
refuses 'at least two' 65 train --out x bad.csv
refuses 'nosuch' 75 train --out x nosuch
refuses '--out' 64 train a.csv
refuses 'no data' 64 train --out x
refuses 'another kind of file' 78 run test --model a.csv a.csv
refuses 'no model' 64 run predict
head -c 3000 a >cut
refuses 'cut short' 78 run predict --model cut
[ ! -e x ] || bad "a model was written for data that was refused"

# Champion and challenger.
retrain() { run retrain --trainer "$build/ticket-train" --no-reload --model m "$@"; }
retrain -q a.csv || bad "the first model"
[ -e m.previous ] && bad "there was none before"
cp m first
retrain a.csv | grep -q '^kept: 0 new records' || bad "nothing new: not kept"
cmp -s m first || bad "nothing new, but another file"
{ cat a.csv; data 40 60; } >more.csv
retrain more.csv | grep -q 'new answers: in use' || bad "no comparison"
cmp -s m first && bad "a better one was not taken"
cmp -s m.previous first || bad "the one before was not kept"
cp m second
# Labels turned round: what is learned of them is worse on what is new.
{
    echo text,category,group
    data 100 200 | sed 's/,printer,it$/,x,y/; s/,password,it$/,printer,it/; s/,x,y$/,password,it/'
    data 200 210
} >wrong.csv
refuses 'worse' 1 retrain wrong.csv
cmp -s m second || bad "a worse one was taken"
retrain -q --force wrong.csv || bad "--force"
cmp -s m second && bad "--force took nothing"
run rollback --no-reload --model m -q || bad "rollback"
cmp -s m second || bad "rollback: not the one before"
run rollback --no-reload --model m -q && cmp -s m.previous second || bad "rollback twice"
cp a.csv m.previous
refuses 'another kind of file' 78 run rollback --no-reload --model m
exit $fail
