import { html } from 'hono/html';
import type { OpenApi } from './openapi-document.ts';

/** The part of an operation that the page shows; the document has every one of these. */
interface Operation {
  summary: string;
  description: string;
  parameters?: readonly Parameter[];
  tags: readonly string[];
  responses: Record<string, Answer | { $ref: string }>;
  'x-example'?: Example;
}

interface Answer {
  description: string;
  content?: Record<string, unknown>;
}

interface Example {
  address: string;
  width: number;
  height: number;
}

interface Parameter {
  name: string;
  description: string;
  required?: boolean;
  schema: { description: string; default?: string | number };
}

/**
 * The reference page of an OpenAPI document, made here because the known viewers bring megabytes of
 * script and need inline styles. `html` escapes whatever is put in.
 */
export function writeDocs({ info, tags = [], paths, components }: OpenApi) {
  const operations = Object.entries(paths ?? {}).map(
    ([path, item]) => [path, item.get as unknown as Operation] as const,
  );
  const shared = (components?.responses ?? {}) as Record<string, Answer>;
  const answerOf = (answer: Answer | { $ref: string }) =>
    '$ref' in answer ? shared[answer.$ref.split('/').at(-1)!]! : answer;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}: the routes</title>
<link rel="icon" href="img?seed=alice">
<link rel="stylesheet" href="docs.css">
</head>
<body>
<main>
<h1>${info.title}: the routes</h1>
<p>${info.description ?? ''}</p>
<p>Pictures, <code>/model</code> and <code>/generator/…</code> are also under
<code>/v/&lt;pin&gt;/</code>, where an address is of one generator for ever: <code>/v/&lt;pin&gt;/img?seed=alice</code>.
<a href="model">/model</a> has the pins.</p>
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1). For playing:
<a href="./">the page</a>.</p>
<nav aria-label="Routes">
${tags.map(
  ({ name, description }) => html`<p>${description}</p>
<ul>
${operations
  .filter(([, operation]) => operation.tags.includes(name))
  .map(
    ([
      path,
      { summary },
    ]) => html`<li><a href="#${idOf(path)}"><code>${path}</code></a> ${summary}</li>
`,
  )}</ul>
`,
)}</nav>
${operations.map(([path, operation]) => section(path, operation, answerOf))}
</main>
</body>
</html>
`;
}

const section = (
  path: string,
  operation: Operation,
  answerOf: (answer: Answer | { $ref: string }) => Answer,
) => html`<section id="${idOf(path)}">
<h2><code>GET ${path}</code> ${operation.summary}</h2>
<p>${operation.description}</p>
${operation.parameters ? parameterTable(path, operation.parameters) : html`<p>It takes no parameters.</p>`}
${operation['x-example'] ? example(operation['x-example'], operation.summary) : ''}
<h3>Answers</h3>
<dl>
${Object.entries(operation.responses).map(([status, answer]) => {
  const { description, content = {} } = answerOf(answer);
  return html`<dt>${status}</dt><dd>${description}
${Object.keys(content).map((type) => html` <code>${type}</code>`)}</dd>
`;
})}</dl>
</section>
`;

const parameterTable = (
  path: string,
  parameters: readonly Parameter[],
) => html`<div class="wide" role="region"
  aria-label="Parameters of ${path}" tabindex="0"><table>
<thead><tr><th scope="col">Parameter</th><th scope="col">Values</th><th scope="col">Default</th>
<th scope="col">Purpose</th></tr></thead>
<tbody>
${parameters.map(
  ({ name, description, required, schema }) => html`<tr><th scope="row"><code>${name}</code></th>
<td>${schema.description}</td><td>${defaultOf(required, schema.default)}</td><td>${description}</td></tr>
`,
)}</tbody>
</table></div>`;

function defaultOf(required: boolean | undefined, preset: string | number | undefined) {
  if (required) return 'required';
  return preset === undefined ? '' : html`<code>${preset}</code>`;
}

const example = ({ address, width, height }: Example, summary: string) => html`<figure>
<a href="${address}"><img src="${address}" width="${width}" height="${height}"
  alt="${summary}: ${address}" loading="lazy"></a>
<figcaption><code>${address}</code></figcaption>
</figure>
`;

const idOf = (path: string) => path.match(/\w+/g)?.join('-') ?? 'page';
