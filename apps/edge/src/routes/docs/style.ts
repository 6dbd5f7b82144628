/** The style sheet of the reference page: a string, so that each runtime serves it without a disk. */
export const DOCS_STYLE = `:root {
  color-scheme: light dark;
  --background: #f7f3ec;
  --panel: #fffdfa;
  --line: #d8cfc0;
  --text: #26211b;
  --quiet: #655c50;
  --accent: #a8323e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --background: #17140f;
    --panel: #211d17;
    --line: #453d31;
    --text: #efe8dc;
    --quiet: #b3a997;
    --accent: #ff9a8b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--background);
  color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
main { max-width: 60rem; margin: auto; padding: 1rem; }
section {
  margin-block: 1.5rem;
  padding: 0.25rem 1.25rem 1rem;
  background: var(--panel);
  border: 1px solid var(--line);
  border-radius: 0.75rem;
}
h1, h2, h3 { line-height: 1.2; }
h2 code { margin-inline-end: 0.5em; color: var(--accent); }
h3 { font-size: 1rem; color: var(--quiet); }
a { color: var(--accent); }
nav ul { padding: 0; list-style: none; }
code { font-size: 0.95em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { width: 100%; min-width: 36rem; border-collapse: collapse; }
th, td {
  padding: 0.4rem 0.75rem 0.4rem 0;
  border-bottom: 1px solid var(--line);
  text-align: start;
  vertical-align: top;
}
thead th { color: var(--quiet); font-weight: 600; }
figure { margin: 1rem 0; }
figure img { display: block; max-width: 100%; height: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0; }
dt { font-weight: 600; }
dd { margin: 0; }
`;
