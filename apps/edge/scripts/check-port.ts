import { once } from 'node:events';
import { createServer } from 'node:net';
import { UserError } from '@killme/model';

/** @throws UserError when nobody can listen there: servers would say it with a page of text. */
export async function checkPort(host: string, port: number): Promise<void> {
  const probe = createServer();
  probe.listen(port, host);
  try {
    await once(probe, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UserError(
      code === 'EADDRINUSE'
        ? `port ${port} is in use: stop what runs there, or choose another with --port`
        : `cannot listen on ${host}:${port} (${code})`,
    );
  }
  probe.close();
  await once(probe, 'close');
}
