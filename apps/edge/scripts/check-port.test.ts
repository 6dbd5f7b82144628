import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../src/testing/free-port.ts';
import { checkPort } from './check-port.ts';

it('a port that is in use is named, with the option that gives another', async () => {
  const other = createServer().listen(0, 'localhost');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await expect(checkPort('localhost', port)).rejects.toThrow(
    `port ${port} is in use: stop what runs there, or choose another with --port`,
  );
  await expect(checkPort('localhost', port, '--metrics')).rejects.toThrow(/with --metrics$/);
});

it('a free port is left free', async () => {
  const port = await freePort();
  await checkPort('localhost', port);
  await checkPort('localhost', port);
});

// RFC 3849 and RFC 5737: addresses for documentation, which no machine has.
it.each([
  ['2001:db8::1', 'http://[2001:db8::1]:8787'],
  ['192.0.2.1', 'http://192.0.2.1:8787'],
])('a host that is not of this machine is named: %s', async (host, origin) => {
  // The code of the system differs where a machine has no IPv6 at all.
  const reason = await checkPort(host, 8787).catch(String);
  expect(reason).toContain(`cannot listen on ${origin} (E`);
  expect(reason).toMatch(/\): choose another host or port$/);
});
