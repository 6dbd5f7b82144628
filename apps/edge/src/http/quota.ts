import { ProblemError } from './problem.ts';

/** Says whether a request is within the quota of its sender. */
export type WithinQuota = (request: Request) => Promise<boolean>;

/** @throws ProblemError 429 when the sender has used up its quota. */
export async function checkQuota(request: Request, withinQuota: WithinQuota): Promise<void> {
  if (await withinQuota(request)) return;
  throw new ProblemError(
    429,
    'Too many pictures or weights were sent to this client in a minute. Wait a minute.',
    { headers: { 'Retry-After': '60' } },
  );
}
