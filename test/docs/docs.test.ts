// @module-tag slow
import { describe, expect, it } from 'vitest';
import { checkCommands, splitCommands } from './check-commands.ts';
import { checkLinks } from './check-links.ts';
import { readDocument } from './markdown.ts';
import { readDocuments } from './repository.ts';

describe('the checks of the docs', () => {
  const document = readDocument(
    [
      '# One `two`: Three',
      '| [a](b.md#c) |',
      '| --- |',
      '<img src="d.png">',
      '```sh',
      'npm ci && npm test    # all',
      'python x.py --a 1 \\',
      '  --b "2 3"',
      '```',
    ].join('\n'),
  );

  it('read links, anchors and commands with their lines', () => {
    expect(document.links.map(({ text }) => text)).toEqual(['b.md#c', 'd.png']);
    expect([...document.anchors]).toEqual(['one-two-three']);
    expect(document.commands).toEqual([
      { text: 'npm ci && npm test    # all', line: 6 },
      { text: 'python x.py --a 1 --b "2 3"', line: 7 },
    ]);
    expect(document.commands.flatMap(({ text }) => splitCommands(text))).toEqual([
      ['npm', 'ci'],
      ['npm', 'test'],
      ['python', 'x.py', '--a', '1', '--b', '2 3'],
    ]);
  });

  it('find a link that leads nowhere, and an option that there is not', async () => {
    const wrong = readDocument('[x](nowhere.md)\n\n```sh\nnpm run train -- --bach 4\n```\n');
    const documents = new Map([['README.md', wrong]]);
    expect(checkLinks(documents)).toEqual(['README.md:1: nowhere.md leads nowhere']);
    expect(await checkCommands(documents)).toMatchObject([
      { place: 'README.md:4', result: 'failed', reason: expect.stringContaining('--bach') },
    ]);
  });
});

describe('the docs', () => {
  const documents = readDocuments();

  it('have no link that leads nowhere', () => expect(checkLinks(documents)).toEqual([]));

  it('have no command that is refused', async () => {
    const commands = await checkCommands(documents);
    expect(commands.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(commands.length).toBeGreaterThan(50);
  }, 300_000);
});
