import { describe, expect, it } from 'vitest';
import { singleFlight, type Wanted } from './single-flight.ts';

/** Work that ends when the test lets it, and what it was begun with. */
function work() {
  const outcome = Promise.withResolvers<string>();
  const begun: Wanted[] = [];
  const begin = (wanted: Wanted) => {
    begun.push(wanted);
    return outcome.promise;
  };
  return { ...outcome, begun, begin };
}

const client = () => new AbortController();

describe('work that several ask for at the same time', () => {
  it('is done once, and anew for who asks afterwards', async () => {
    const once = singleFlight<string>();
    const { begin, begun, resolve } = work();
    const answers = [1, 2, 3].map(() => once({ key: 'a', signal: client().signal, begin }));
    const other = once({ key: 'b', signal: client().signal, begin: async () => 'other' });
    expect(await other).toBe('other');
    expect(begun).toHaveLength(1);
    resolve('done');
    expect(await Promise.all(answers)).toEqual(['done', 'done', 'done']);
    expect(await once({ key: 'a', signal: client().signal, begin: async () => 'again' })).toBe(
      'again',
    );
  });

  it('is wanted until the last of them has disconnected', async () => {
    const once = singleFlight<string>();
    const { begin, begun, resolve } = work();
    const [first, second] = [client(), client()];
    const answers = [first, second].map(({ signal }) => once({ key: 'a', signal, begin }));
    await Promise.resolve();
    const [wanted] = begun;
    let abandoned = 0;
    wanted!.onAbort(() => abandoned++);
    first.abort();
    expect(() => wanted!.throwIfAborted()).not.toThrow();
    second.abort();
    expect(() => wanted!.throwIfAborted()).toThrow(/every client .* has disconnected/);
    expect(abandoned).toBe(1);
    // Who comes now does not get what is given up.
    const fresh = once({ key: 'a', signal: client().signal, begin: async () => 'fresh' });
    resolve('late');
    expect(await fresh).toBe('fresh');
    expect(await Promise.all(answers)).toEqual(['late', 'late']);
  });

  it('does not begin for a client that had disconnected before it asked', () => {
    const once = singleFlight<string>();
    const { begin, begun } = work();
    const gone = client();
    gone.abort();
    expect(() => once({ key: 'a', signal: gone.signal, begin })).toThrow(/aborted/);
    expect(begun).toEqual([]);
  });

  it('is tried again after it failed for all of them', async () => {
    const once = singleFlight<string>();
    const { begin, reject } = work();
    const answers = [1, 2].map(() => once({ key: 'a', signal: client().signal, begin }));
    reject(new Error('no'));
    expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(await once({ key: 'a', signal: client().signal, begin: async () => 'yes' })).toBe('yes');
  });
});
