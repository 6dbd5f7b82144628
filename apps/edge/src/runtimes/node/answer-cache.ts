/**
 * Answers with pictures by their address, as it is written: in front of the app, as Cloudflare's
 * Workers Cache is in front of a Worker. What is found here costs no parsing, no hash and no promise.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { matchesTag } from '../../http/etag.ts';

/** Some two thousand avatars. */
const MOST_BYTES = 64 * 2 ** 20;

/** What an entry takes beside its picture: its address and its headers. */
const ENTRY_BYTES = 1024;

/** Headers of the picture that a 304 does without. */
const OF_BODY = /^(content-.*|killme-source)$/;

/** A host as `Host` may have it; the app refuses any other. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i;

interface Kept {
  tag: string;
  bytes: Uint8Array;
  /** Names and values in turns, as node:http writes them fastest. */
  headers: string[];
  unchangedHeaders: string[];
}

export interface AnswerCache {
  /** Answers the request if it can. @returns whether it has. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
  /** Keeps the app's answer to a request if it is a picture. @returns the answer, to be sent. */
  keep(incoming: IncomingMessage, answer: Response): Promise<Response>;
}

export function createAnswerCache(maxSize = MOST_BYTES): AnswerCache {
  const answers = new LRUCache<string, Kept>({
    maxSize,
    sizeCalculation: ({ bytes }, address) => bytes.length + address.length + ENTRY_BYTES,
  });
  return {
    answer(incoming, outgoing) {
      if (incoming.method !== 'GET' || !isHost(incoming.headers.host ?? '')) return false;
      const kept = answers.get(incoming.url ?? '');
      if (!kept) return false;
      if (matchesTag(incoming.headers['if-none-match'], kept.tag)) {
        outgoing.writeHead(304, kept.unchangedHeaders).end();
      } else {
        outgoing.writeHead(200, kept.headers).end(kept.bytes);
      }
      return true;
    },
    async keep(incoming, answer) {
      const tag = answer.headers.get('ETag');
      // The app says of pictures where they come from, and a picture has one address for ever.
      const isPicture =
        answer.status === 200 && tag !== null && answer.headers.has('Killme-Source');
      if (incoming.method !== 'GET' || !isPicture || !incoming.url?.startsWith('/')) return answer;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      answers.set(incoming.url, { tag, bytes, ...headersOf(answer, bytes.length) });
      return new Response(bytes, { headers: answer.headers });
    },
  };
}

function isHost(text: string): boolean {
  const found = HOST.exec(text);
  return found !== null && Number(found[1] ?? 0) <= 65535;
}

/** The headers of the next answer, which comes from memory. */
function headersOf(
  { headers }: Response,
  length: number,
): Pick<Kept, 'headers' | 'unchangedHeaders'> {
  const next = new Headers(headers);
  next.set('Killme-Source', 'memory');
  next.set('Content-Length', String(length));
  const all = [...next];
  return {
    headers: all.flat(),
    unchangedHeaders: all.filter(([name]) => !OF_BODY.test(name)).flat(),
  };
}
