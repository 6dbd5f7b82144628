import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from '@killme/command-line';
import { UserError } from '@killme/model';
import { httpOrigin } from '../src/runtimes/http-origin.ts';

/**
 * @param option that the port was given by
 * @throws UserError when nobody can listen there: servers would say it with a page of text.
 */
export async function checkPort(
  host: string,
  port: number,
  option: '--port' | '--metrics' = '--port',
): Promise<void> {
  const probe = createServer();
  probe.listen(port, host);
  try {
    await once(probe, 'listening');
  } catch (error) {
    const code = errorCode(error);
    throw new UserError(
      code === 'EADDRINUSE'
        ? `port ${port} is in use: stop what runs there, or choose another with ${option}`
        : `cannot listen on ${httpOrigin(host, port)} (${code}): choose another host or port`,
    );
  }
  probe.close();
  await once(probe, 'close');
}
