import { nameFolder } from '@killme/edge';
import { bundleBareWorkerd } from '../../apps/edge/scripts/bare-workerd.ts';
import { expectServer, type Server, start } from '../servers.ts';

/** A server, and the folder that its static assets are in. */
export interface BareServer extends Server {
  assets: string;
}

/** workerd by itself, with a generator. */
export async function startBareWorkerd(generator: string): Promise<BareServer> {
  const { command, assets, remove } = await bundleBareWorkerd({
    generators: [nameFolder(generator)],
  });
  try {
    const server = expectServer(await start(command, undefined, (_, port) => answers(port)));
    return { ...server, assets, stop: () => server.stop().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

const answers = (port: string) =>
  fetch(`http://localhost:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
