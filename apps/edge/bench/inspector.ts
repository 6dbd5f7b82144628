/**
 * The Chrome DevTools protocol, as far as measuring needs it.
 *
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';

/** A connection to an isolate. */
export interface Inspector {
  /** @throws Error with the isolate's words when it refuses, or when the connection ends. */
  send<Schema extends z.ZodType>(
    method: string,
    params: Readonly<Record<string, unknown>>,
    result: Schema,
  ): Promise<z.output<Schema>>;
  /** Calls `listener` at each event of that name. */
  on<Schema extends z.ZodType>(
    event: string,
    params: Schema,
    listener: (params: z.output<Schema>) => void,
  ): void;
  close(): void;
}

/** Longer than any piece of JavaScript runs before the isolate can answer. */
const ANSWER_MS = 120_000;

const messageSchema = z.union([
  z.object({ id: z.number(), error: z.object({ message: z.string() }) }),
  z.object({ id: z.number(), result: z.unknown() }),
  z.object({ method: z.string(), params: z.unknown().optional() }),
]);

/** Node's WebSocket takes headers, which the browsers' types do not know. */
const NodeWebSocket = WebSocket as unknown as new (
  address: string,
  options: { headers: Record<string, string> },
) => WebSocket;

/** Connects to an inspector; wrangler's answers only one client at a time. */
export async function openInspector(address: string): Promise<Inspector> {
  // wrangler asks for an origin that it trusts.
  const socket = new NodeWebSocket(address, { headers: { Origin: 'http://localhost' } });
  const waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (e: Error) => void }
  >();
  const listeners = new Map<string, (params: unknown) => void>();
  /** Events that came before anyone listened for them. */
  const early: { method: string; params?: unknown }[] = [];
  let ended: Error | undefined;

  socket.addEventListener('message', ({ data }) => {
    const message = messageSchema.parse(JSON.parse(String(data)));
    if ('method' in message) {
      const listener = listeners.get(message.method);
      if (listener) listener(message.params);
      else early.push(message);
      return;
    }
    const request = waiting.get(message.id);
    waiting.delete(message.id);
    if ('error' in message) request?.reject(new Error(message.error.message));
    else request?.resolve(message.result);
  });
  socket.addEventListener('close', () => {
    ended = new Error('the inspector has closed the connection: was the worker reloaded or ended?');
    for (const { reject } of waiting.values()) reject(ended);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)));
  });

  let lastId = 0;
  return {
    async send(method, params, result) {
      if (ended) throw ended;
      const id = ++lastId;
      const answer = new Promise<unknown>((resolve, reject) =>
        waiting.set(id, { resolve, reject }),
      );
      socket.send(JSON.stringify({ id, method, params }));
      const late = new AbortController();
      const noAnswer = wait(ANSWER_MS, undefined, late).then(() => {
        throw new Error(
          `the isolate does not answer ${method}: wrangler reloads the worker when its sources change`,
        );
      });
      try {
        return result.parse(await Promise.race([answer, noAnswer]));
      } finally {
        late.abort();
        noAnswer.catch(() => undefined);
      }
    },
    on(event, params, listener) {
      const listen = (given: unknown) => listener(params.parse(given));
      listeners.set(event, listen);
      for (const { method, params: given } of early) if (method === event) listen(given);
    },
    close: () => socket.close(),
  };
}
