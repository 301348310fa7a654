// SPDX-License-Identifier: BSD-2-Clause
// Holds JSON against TypeScript's types of a vendor's documents: each document becomes a
// literal in a file of its own, which has to compile. A member that the type does not name is
// an error, as is a word where only others are allowed.
"use strict";

const whatsapp = 'import("./whatsapp/dist/cloudapi/request")';

// Where a type is narrower than the vendor's own documents, what these say stands here.
const types = {
    // Events API v2: `client` tells who sent it; only a trigger needs a payload.
    pagerduty: `(E & { client?: string; client_url?: string }) |
        (Omit<E, "payload" | "event_action"> & { event_action: "acknowledge" | "resolve" });
        type E = import("./pagerduty/build/src/events").EventPayloadV2`,
    slack: `{ blocks: import("./slack/dist/index").KnownBlock[]; text: string; channel?: string;
        thread_ts?: string; reply_broadcast?: boolean; unfurl_links?: boolean; }`,
    teams: 'import("./teams/dist/index").IAdaptiveCard',
    whatsapp: `${whatsapp}.CloudAPISendTextMessageRequest |
        ${whatsapp}.CloudAPISendTemplateMessageRequest`,
    zendesk: 'import("./zendesk/dist/types/clients/core/tickets").CreateOrUpdateTicket',
    // Without what lets any name pass, and with columns of the site's own.
    salesforce: `{ [K in keyof F as string extends K ? never : K]?: F[K] } &
        { [own: \`\${string}__c\`]: string };
        type F = import("./salesforce/lib/types/standard-schema").StandardSchema[
            "SObjects"]["Case"]["Fields"]`,
    ecs: 'import("./ecs/generated/index").Ecs',
    bulk: 'import("./elasticsearch/lib/api/types").BulkOperationContainer',
};

// "a.b": 1 is {a: {b: 1}} in ECS.
function nested(value) {
    const out = {};
    for (const [name, member] of Object.entries(value)) {
        const parts = name.split(".");
        let at = out;
        for (const part of parts.slice(0, -1)) {
            at = at[part] = at[part] || {};
        }
        at[parts[parts.length - 1]] = member;
    }
    return out;
}

function verdicts(folder, cases) {
    const ts = require(`${folder}/typescript/lib/typescript.js`);
    const options = { noEmit: true, strict: true, skipLibCheck: true, types: [],
        lib: ["lib.es2022.d.ts"], // without a browser
        target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler };
    const files = new Map(cases.map((c, i) => [`${folder}/case-${i}.ts`,
        `export const it: T = ${JSON.stringify(c.schema === "ecs" ? nested(c.value) : c.value)
            .replace(/[\u2028\u2029]/g, "")};\ntype T = ${types[c.schema]};\n`]));
    const host = ts.createCompilerHost(options);
    const { fileExists, getSourceFile } = host;
    host.fileExists = (name) => files.has(name) || fileExists(name);
    host.getSourceFile = (name, ...more) => (files.has(name)
        ? ts.createSourceFile(name, files.get(name), ts.ScriptTarget.ES2022)
        : getSourceFile(name, ...more));
    const program = ts.createProgram([...files.keys()], options, host);
    return [...files.keys()].map((name, i) => {
        const file = program.getSourceFile(name);
        return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
            .map((d) => `${cases[i].schema}: ` + ts.flattenDiagnosticMessageText(d.messageText, " "));
    });
}

module.exports = { knows: (name) => name in types, verdicts };
