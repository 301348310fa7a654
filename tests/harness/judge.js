// SPDX-License-Identifier: BSD-2-Clause
// Holds what we send against what others wrote down: see judge.py, which calls it.
//
//   node judge.js FOLDER < cases.json > verdicts.json
//
// A case is {schema, value}, the schema "adf" or one that judge_types.js or judge_others.js
// knows, or {api, method, path, query, type, body} with, if the answer is to be judged too,
// {status, answer}. A verdict is a list of complaints, or null where the description does not
// know the path.
"use strict";
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const folder = path.resolve(process.argv[2]);
const need = createRequire(folder + "/package.json");
const Ajv = need("ajv-draft-04");
const formats = need("ajv-formats");
const types = require("./judge_types.js");
const others = require("./judge_others.js");
const loaded = new Map();

const maker = (coerceTypes) => {
    const ajv = new Ajv({ strict: false, logger: false, allErrors: true, coerceTypes });
    formats(ajv);
    return ajv;
};

// An OpenAPI schema as a JSON schema: examples look like schemas to those who search for
// ids, and `nullable` is a word of OpenAPI alone.
function plain(node, isMap) {
    if (Array.isArray(node)) {
        return node.map((n) => plain(n, false));
    }
    if (node === null || typeof node !== "object") {
        return node;
    }
    const out = Object.fromEntries(Object.entries(node)
        .filter(([k]) => isMap || !(/^(examples?|x-.*|default|nullable)$/.test(k)))
        .map(([k, v]) => [k, plain(v, !isMap && k === "properties")]));
    return !isMap && node.nullable === true ? { anyOf: [out, { type: "null" }] } : out;
}

function load(name) {
    if (!loaded.has(name)) {
        const file = name === "adf" ? "adf/dist/json-schema/v1/full.json" :
            `openapi/api/${name}.json`;
        const text = fs.readFileSync(`${folder}/${file}`, "utf8");
        const spec = plain(JSON.parse(text), false);
        const exact = maker(false);
        const lax = maker("array");
        if (name !== "adf") {
            exact.addSchema(spec, "api");
            lax.addSchema(spec, "api");
        }
        loaded.set(name, { spec, exact, lax, compiled: new Map() });
    }
    return loaded.get(name);
}

const told = (errors, where) =>
    errors.map((e) => `${where}${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);

const point = (parts) => "api#/" + parts.map((p) => encodeURIComponent(
    String(p).replace(/~/g, "~0").replace(/\//g, "~1"))).join("/");

function complaints(api, parts, value, where, lax) {
    const at = point(parts);
    const key = `${lax} ${at}`;
    if (!api.compiled.has(key)) {
        api.compiled.set(key, (lax ? api.lax : api.exact).compile({ $ref: at }));
    }
    const check = api.compiled.get(key);
    return check(value) ? [] : told(check.errors, where);
}

const get = (json, parts) => parts.reduce((o, p) => (o === undefined ? o : o[p]), json);

// Follows $ref; gives [value, where it stands].
function resolve(api, parts) {
    let value = get(api.spec, parts);
    for (let i = 0; value && value.$ref && i < 20; i++) {
        parts = value.$ref.slice(2).split("/").map((p) =>
            decodeURIComponent(p).replace(/~1/g, "/").replace(/~0/g, "~"));
        value = get(api.spec, parts);
    }
    return [value, parts];
}

// All objects that a schema may mean.
function branches(api, parts, depth) {
    const [schema, at] = resolve(api, parts);
    if (!schema || depth > 8) {
        return [];
    }
    const found = [[schema, at]];
    for (const word of ["allOf", "oneOf", "anyOf"]) {
        (schema[word] || []).forEach((_, i) =>
            found.push(...branches(api, [...at, word, i], depth + 1)));
    }
    return found;
}

// Members that a description does not name: a vendor drops them without a word.
function strangers(api, parts, value, where) {
    const all = branches(api, parts, 0);
    if (Array.isArray(value)) {
        const items = all.find(([s]) => s.items);
        return items ? value.flatMap((v, i) =>
            strangers(api, [...items[1], "items"], v, `${where}/${i}`)) : [];
    }
    const named = all.filter(([s]) => s.properties);
    const open = all.some(([s]) => s.additionalProperties || s.patternProperties);
    if (value === null || typeof value !== "object" || named.length === 0) {
        return [];
    }
    return Object.keys(value).flatMap((name) => {
        const owner = named.find(([s]) => s.properties[name]);
        if (owner) {
            return strangers(api, [...owner[1], "properties", name], value[name],
                `${where}/${name}`);
        }
        return open ? [] : [`${where} has a member ${name} that is not described`];
    });
}

// The operation whose path fits best: constants count more than variables.
function operation(api, method, target) {
    const server = new URL(((api.spec.servers || [])[0] || { url: "http://x" }).url);
    const base = server.pathname.replace(/\/$/, "");
    let best = null;
    for (const template of Object.keys(api.spec.paths)) {
        const want = (base + template).split("/");
        const have = target.split("/");
        const fits = want.length === have.length && want.every((w, i) =>
            w === have[i] || (w.includes("{") && have[i] !== "" && new RegExp("^" +
                w.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]*\}/g, ".+") + "$")
                .test(have[i])));
        const constants = want.filter((w, i) => w === have[i]).length;
        if (fits && api.spec.paths[template][method] &&
            (best === null || constants > best.constants)) {
            best = { constants, parts: ["paths", template, method], template };
        }
    }
    return best;
}

function judgeQuery(api, op, query) {
    const own = get(api.spec, op.parts).parameters || [];
    const common = api.spec.paths[op.template].parameters || [];
    const all = [...own.map((_, i) => [...op.parts, "parameters", i]),
        ...common.map((_, i) => ["paths", op.template, "parameters", i])]
        .map((p) => resolve(api, p)).filter(([p]) => p && p.in === "query");
    const bad = [];
    for (const [name, text] of Object.entries(query || {})) {
        const hit = all.find(([p]) => p.name === name || p.name === `${name}[]`);
        if (!hit) {
            bad.push(`the query has a ${name} that is not described`);
        } else if (hit[0].schema) {
            const list = resolve(api, [...hit[1], "schema"])[0].type === "array";
            bad.push(...complaints(api, [...hit[1], "schema"],
                list ? text.split(",") : text, `query ${name}`, true));
        }
    }
    for (const [p] of all) {
        if (p.required && !(p.name in (query || {}))) {
            bad.push(`the query has no ${p.name}`);
        }
    }
    return bad;
}

function judgeContent(api, parts, type, body, where) {
    const content = get(api.spec, parts) || {};
    const form = "application/x-www-form-urlencoded";
    // Descriptions older than JSON bodies have the same members as a form.
    const kind = [type, "*/*", "application/*", type.endsWith("json") ? form : type]
        .map((want) => Object.keys(content).find((t) => t.split(";")[0] === want))
        .find((t) => t !== undefined);
    if (kind === undefined) {
        return [`${where}: ${type} is not among ${Object.keys(content)}`];
    }
    const at = [...parts, kind, "schema"];
    if (!get(api.spec, at) || body === undefined || type === "multipart/form-data") {
        return [];
    }
    if (kind.split(";")[0] === form) {
        const flat = Object.fromEntries(Object.entries(body).map(([k, v]) =>
            [k, v !== null && typeof v === "object" ? JSON.stringify(v) : v]));
        return [...complaints(api, at, flat, where, true), ...strangers(api, at, flat, where)];
    }
    return [...complaints(api, at, body, where, false), ...strangers(api, at, body, where)];
}

function judgeRequest(c) {
    const api = load(c.api);
    const op = operation(api, c.method.toLowerCase(), c.path);
    if (op === null) {
        return null;
    }
    const bad = judgeQuery(api, op, c.query);
    const [body, at] = resolve(api, [...op.parts, "requestBody"]);
    if (c.type) {
        bad.push(...(body ? judgeContent(api, [...at, "content"], c.type, c.body, "body")
            : ["a body is not described"]));
    } else if (body && body.required) {
        bad.push("there is no body");
    }
    if (c.status) {
        const [answer, where] = resolve(api, [...op.parts, "responses", String(c.status)]);
        if (!answer) {
            bad.push(`the stand-in's status ${c.status} is not described`);
        } else if (c.status < 300 && answer.content && c.answer !== undefined) {
            bad.push(...judgeContent(api, [...where, "content"], "application/json",
                c.answer, "the stand-in's answer"));
        }
    }
    return bad.map((b) => `${c.method} ${c.path}: ${b}`);
}

function judgeSchema(c) {
    const s = load(c.schema);
    s.check = s.check || s.exact.compile(s.spec);
    return s.check(c.value) ? [] : told(s.check.errors, c.schema);
}

const cases = JSON.parse(fs.readFileSync(0, "utf8"));
const typed = cases.filter((c) => c.schema && types.knows(c.schema));
const found = typed.length === 0 ? [] : types.verdicts(folder, typed);
process.stdout.write(JSON.stringify(cases.map((c) => {
    if (!c.schema) {
        return judgeRequest(c);
    }
    return types.knows(c.schema) ? found[typed.indexOf(c)]
        : others.knows(c.schema) ? others.verdict(folder, c) : judgeSchema(c);
})));
