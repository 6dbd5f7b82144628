/**
 * Metrics for Prometheus. Each process counts for itself; the one that started them sums up.
 *
 * @module
 */
import { createServer, type Server } from 'node:http';
import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
} from '@prometheus-io/client';
import type { Observe } from './observe.ts';

/** Seconds: from an answer out of memory to the longest that is accepted. */
const BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** How a process is doing. */
export interface ProcessState {
  /** Pictures that were rendered. */
  rendered(): number;
  /** Requests that are being answered. */
  inFlight(): number;
}

/** @returns what is called with each answer before it is made. */
export function countRequests({ rendered, inFlight }: ProcessState): Observe {
  new AggregatorRegistry(); // answers the process that sums up
  collectDefaultMetrics();
  const duration = new Histogram({
    name: 'killme_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer, by status and source of the picture.',
    labelNames: ['status', 'source'],
    buckets: BUCKETS,
  });
  new Gauge({
    name: 'killme_http_requests_in_flight',
    help: 'Requests that are being answered.',
    collect() {
      this.set(inFlight());
    },
  });
  let counted = 0;
  new Counter({
    name: 'killme_pictures_rendered_total',
    help: 'Pictures that were rendered.',
    collect() {
      this.inc(rendered() - counted);
      counted = rendered();
    },
  });
  return (_incoming, outgoing, exchange) => {
    const startMs = performance.now();
    outgoing.once('close', () => {
      // What a client did not wait for has nginx's number.
      const status = outgoing.writableFinished ? outgoing.statusCode : 499;
      const source = exchange.source ?? 'none';
      duration.observe({ status, source }, (performance.now() - startMs) / 1000);
    });
  };
}

/** Sums up the metrics of all processes, for `GET /metrics`, on a port of its own. */
export function metricsServer(): { server: Server; restarted(): void } {
  const registry = new AggregatorRegistry();
  const restarts = new Counter({
    name: 'killme_process_restarts_total',
    help: 'Processes that ended by themselves and were started again.',
  });
  const server = createServer(async (incoming, outgoing) => {
    if (incoming.url !== '/metrics') {
      outgoing.writeHead(404, { 'Content-Type': 'text/plain' }).end('only /metrics is here\n');
      return;
    }
    try {
      const text = await registry.clusterMetrics();
      outgoing.writeHead(200, { 'Content-Type': registry.contentType }).end(text);
    } catch (error) {
      console.error(error);
      outgoing.writeHead(503, { 'Content-Type': 'text/plain' }).end('a process did not answer\n');
    }
  });
  return { server, restarted: () => restarts.inc() };
}
