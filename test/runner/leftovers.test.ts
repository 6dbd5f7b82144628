import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { endLeftovers } from '../../.ci/leftovers.ts';

it.runIf(process.platform === 'linux')(
  'ends a process with a mark and what it has started, and no other',
  async () => {
    const start = (mark: string) =>
      spawn('sh', ['-c', 'sleep 300 & echo $!; wait'], {
        detached: true, // a session of its own, as the tests' servers have
        env: { ...process.env, KILLME_MARK: mark },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    const [marked, other] = [start('one'), start('one-more')];
    const [[pid], [otherPid]] = (await Promise.all(
      [marked, other].map(({ stdout }) => once(stdout, 'data')),
    )) as [[Buffer], [Buffer]];

    const ended = endLeftovers('KILLME_MARK', 'one');
    expect(ended.map((leftover) => leftover.pid).sort()).toEqual([marked.pid, Number(pid)].sort());
    expect(ended[0]!.command).toContain('sleep 300');
    expect(await once(marked, 'close')).toEqual([null, 'SIGKILL']);
    expect(endLeftovers('KILLME_MARK', 'one')).toEqual([]);

    expect(
      endLeftovers('KILLME_MARK', 'one-more')
        .map((leftover) => leftover.pid)
        .sort(),
    ).toEqual([other.pid, Number(otherPid)].sort());
  },
);
