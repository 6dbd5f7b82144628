import { UserError } from '@killme/model';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  chooseGenerators,
  describeOptions,
  readArguments,
  type ScriptOptions,
} from './arguments.ts';

const options = {
  keep: { type: 'string', multiple: true, value: 'DIR', help: 'what stays' },
  port: { type: 'string', default: '8787', value: 'N', help: 'the port' },
  check: { type: 'boolean', default: false, help: 'ask and end' },
} as const satisfies ScriptOptions;

describe('the options of a script', () => {
  it('are listed by --help with their values, defaults and whether they repeat', () => {
    expect(describeOptions(options, 'Usage: npm start -- [options]')).toBe(
      [
        'Usage: npm start -- [options]',
        '',
        'Options:',
        '  --keep DIR  what stays (may be repeated)',
        '  --port N    the port (default: 8787)',
        '  --check     ask and end',
      ].join('\n'),
    );
  });

  it.each([
    [['--prot', '1'], "Unknown option '--prot': --help lists the options"],
    [['--port'], "Option '--port <value>' argument missing: --help lists the options"],
  ])('are refused in one line that says where they are listed: %j', (args, line) => {
    expect(() => readArguments(options, '', args)).toThrow(new UserError(line));
  });
});

describe('the newest run', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is refused before its first checkpoint, with the folder and what to do', async () => {
    vi.stubEnv('KILLME_RUNS', '/nowhere/runs');
    await expect(chooseGenerators({ 'newest-run': true })).rejects.toThrow(
      new UserError(
        'no run in /nowhere/runs has a generator yet: a run has one from its first checkpoint on. Wait for ' +
          'it, train with `npm run train -- --preset lite`, or serve the shipped generators with `npm start`',
      ),
    );
  });
});
