// SPDX-License-Identifier: BSD-2-Clause
// Judges that are neither a schema nor a type: ServiceNow's tables as its SDK has them, the
// reference implementation of adaptive cards, Splunk's own client of its collector, what a
// client for Freshservice knows to fill in, and an implementation of Standard Webhooks.
"use strict";
const Module = require("module");

// ---- servicenow/TABLE: a row that is written ----------------------------------------------

// A file of a package with something else in the place of what it requires.
function requireWith(file, name, other) {
    const load = Module._load;
    Module._load = (what, ...more) => (name.test(what) ? other : load(what, ...more));
    try {
        return require(file);
    } finally {
        Module._load = load;
    }
}

// The SDK's tables call column makers of its own; here these tell what they were given.
function tableOf(folder, name) {
    const makers = new Proxy({}, { get: (_, maker) => (given) =>
        (maker === "Table" ? given : { ...given, maker }) });
    const file = `${folder}/servicenow/dist/fluent/tables/${name}.now.js`;
    return requireWith(file, /\/db$/, makers)[name];
}

function columnsOf(folder, name) {
    const table = tableOf(folder, name);
    const parent = table.extends ? columnsOf(folder, table.extends) : {};
    return { ...parent, ...table.schema };
}

function columnFault(column, value) {
    const most = column.maxLength;
    if (typeof value !== "string") {
        return `is no text: ${JSON.stringify(value)}`;
    }
    if (/ReferenceColumn$/.test(column.maker) && !/^([0-9a-f]{32})?$/.test(value)) {
        return `is no sys_id: ${value}`;
    }
    if (/IntegerColumn$/.test(column.maker) && !/^(-?\d+)?$/.test(value)) {
        return `is no number: ${value}`;
    }
    // A journal has no limit of its own: what it takes becomes rows of another table.
    if (most && !/^journal/.test(column.columnType || "") && [...value].length > most) {
        return `has ${[...value].length} of ${most} characters`;
    }
    return column.readOnly ? "is not to be written" : null;
}

function servicenow(folder, name, value) {
    const columns = columnsOf(folder, name);
    return Object.keys(value).filter((n) => !n.startsWith("u_")).flatMap((n) => {
        const fault = columns[n] ? columnFault(columns[n], value[n]) : "is no column";
        return fault ? [`${name}.${n} ${fault}`] : [];
    });
}

// ---- card: an adaptive card ---------------------------------------------------------------

// What would be shown of the card, to tell what the parser left out without a word.
function shown(node) {
    return Array.isArray(node) ? node.flatMap(shown) : node === null || typeof node !== "object"
        ? [] : [...(typeof node.type === "string" ? [node.type] : []),
            ...Object.values(node).flatMap(shown)];
}

function card(folder, value) {
    const cards = require(`${folder}/cards/dist/adaptivecards.min.js`);
    const context = new cards.SerializationContext();
    const parsed = new cards.AdaptiveCard();
    parsed.parse(value, context);
    const bad = Array.from({ length: context.eventCount }, (_, i) => context.getEventAt(i).message);
    const faults = parsed.validateProperties().validationEvents.map((e) => e.message);
    const left = shown(parsed.toJSON()).sort().join(" ");
    const lost = left === shown(value).sort().join(" ") ? [] : [`of ${shown(value)} is left: ${left}`];
    return [...bad, ...faults, ...lost].map((m) => `card: ${m}`);
}

// ---- hec: an event for Splunk's collector --------------------------------------------------

// The vendor's client makes one of the same parts: it has to be the same, but that it writes
// the time as text.
function hec(folder, value) {
    const Logger = requireWith(`${folder}/splunk/splunklogger.js`, /^needle$/, {});
    const { event, ...metadata } = value;
    const logger = new Logger({ token: "x" });
    logger.eventFormatter = (message) => message;
    const made = logger._makeBody({ message: event, metadata });
    const named = Object.keys(value).sort().join(" ");
    const theirs = Object.keys(made).sort().join(" ");
    return [
        named === theirs ? null : `has ${named}, not ${theirs}`,
        typeof value.time === "number" && Number(made.time) === value.time
            ? null : `its time ${value.time} is ${made.time}`,
        ...Object.keys(value).filter((n) => n !== "time" && made[n] !== undefined &&
            (typeof value[n] !== typeof made[n] ||
                JSON.stringify(value[n]) !== JSON.stringify(made[n])))
            .map((n) => `${n} is ${JSON.stringify(made[n])}`),
    ].filter((m) => m !== null).map((m) => `hec: ${m}`);
}

// ---- freshservice/ACTION: what a client knows to fill in ----------------------------------

const fits = {
    SHORT_TEXT: (v) => typeof v === "string",
    LONG_TEXT: (v) => typeof v === "string",
    DROPDOWN: (v) => Number.isInteger(v) && v > 0,
    STATIC_DROPDOWN: (v, p) => p.options.options.some((o) => o.value === v),
    CHECKBOX: (v) => typeof v === "boolean",
    ARRAY: (v) => Array.isArray(v) && v.every((one) => typeof one === "string"),
    JSON: (v) => v !== null && typeof v === "object" && !Array.isArray(v),
};

function freshservice(folder, name, value) {
    const { props } = require(`${folder}/freshservice/src/index.js`).freshservice.actions()[name];
    return [
        ...Object.entries(value).flatMap(([n, v]) => (!props[n] ? [`${n} is not known`]
            : fits[props[n].type](v, props[n]) ? [] : [`${n} is no ${props[n].type}: ${v}`])),
        ...Object.keys(props).filter((n) => props[n].required && !(n in value) && n !== "ticket_id")
            .map((n) => `${n} is missing`),
    ].map((m) => `freshservice ${name}: ${m}`);
}

// ---- webhook: {secret, headers, body} -----------------------------------------------------

function webhook(folder, value) {
    const { Webhook } = Module.createRequire(`${folder}/package.json`)("standardwebhooks");
    try {
        new Webhook(value.secret).verify(value.body, value.headers);
        return [];
    } catch (e) {
        return [`webhook: ${e.message}`];
    }
}

const judges = { servicenow, freshservice,
    card: (folder, _, value) => card(folder, value),
    hec: (folder, _, value) => hec(folder, value),
    webhook: (folder, _, value) => webhook(folder, value) };

module.exports = {
    knows: (name) => name.split("/")[0] in judges,
    verdict: (folder, { schema, value }) => {
        const [kind, name] = schema.split("/");
        return judges[kind](folder, name, value);
    },
};
