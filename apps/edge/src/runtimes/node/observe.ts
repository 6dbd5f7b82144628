import type { IncomingMessage, ServerResponse } from 'node:http';

/** What becomes known of a request while it is answered. */
export interface Exchange {
  /** Where its picture comes from, as `Killme-Source` says. */
  source?: string | undefined;
}

/** Is shown each request before it is answered. */
export type Observe = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  exchange: Exchange,
) => void;
