/**
 * The switch “Make them here”: while it is on, pictures are made in this browser by the server's own
 * code in a Web Worker, and cost the server nothing.
 *
 * @module
 */
import type { MadePixels, PadPoint, WorkerRequest, WorkerResponse } from '../browser/messages.ts';
import { element, input } from './elements.ts';
import { BASE, PINNED } from './server.ts';

/** Files kept for those who want the same one again, as the two pictures of a walk do. */
const KEPT_FILES = 32;

const ENGINES = {
  wasm: { script: 'engine.js', promise: 'by wasm: the server’s own bytes' },
  webgpu: {
    script: 'engine-webgpu.js',
    promise: 'by WebGPU: a colour may differ from the server’s by a level',
  },
} as const;

type Answer = Extract<WorkerResponse, { id: number }>;

const toggle = input('here');
const withGpu = input('here-webgpu');
const state = element('here-state', HTMLElement);
const time = element('here-time', HTMLElement);
const atFirst = state.textContent;

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, (answer: Answer) => void>();
const listeners: ((here: boolean) => void)[] = [];

const files = new Map<string, Promise<string | undefined>>();
/** One at a time: the engine has one thread, and the pad's points should not wait behind a wall. */
let newest: Promise<unknown> = Promise.resolve();

/** Whether pictures are made here now. */
export const isHere = (): boolean => toggle.checked;

/** Calls `listener` whenever the switch has been turned. */
export function onHere(listener: (here: boolean) => void): void {
  listeners.push(listener);
}

/** Turns the switch on. */
export function switchOn(): void {
  if (toggle.checked) return;
  toggle.checked = true;
  turned();
}

/** The file of an address of the server, made here, as an address; nothing if that went wrong. */
export function makeHere({ href }: URL): Promise<string | undefined> {
  const known = files.get(href);
  if (known) return known;
  const file = newest.then(async () => {
    const answer = await ask({ address: `/${href.slice(BASE.length)}` });
    return 'file' in answer ? URL.createObjectURL(answer.file) : undefined;
  });
  newest = file;
  files.set(href, file);
  const [oldest] = files.keys();
  if (files.size > KEPT_FILES && oldest !== undefined) void forget(oldest);
  return file;
}

/** A point of the pad, made here; nothing if that went wrong. */
export async function makePoint(point: PadPoint): Promise<MadePixels | undefined> {
  const answer = await ask({ point });
  return 'pixels' in answer ? answer : undefined;
}

toggle.addEventListener('change', turned);
withGpu.addEventListener('change', () => {
  if (!toggle.checked) return switchOn();
  stop();
  turned();
});
// Whether it has something to run on shows when it is chosen: asking would wake a sleeping GPU.
withGpu.disabled = !('gpu' in navigator);

function turned(): void {
  if (toggle.checked) start();
  else {
    stop();
    state.textContent = atFirst;
  }
  for (const listener of listeners) listener(toggle.checked);
}

function start(): void {
  const { script, promise } = ENGINES[withGpu.checked ? 'webgpu' : 'wasm'];
  state.textContent = 'Getting the generator …';
  // Its name says what it renders with.
  const started = new Worker(script, { type: 'module', name: PINNED });
  worker = started;
  started.addEventListener('message', ({ data }: MessageEvent<WorkerResponse>) => {
    if ('ready' in data) state.textContent = `Made here ${promise}.`;
    else if ('broken' in data) fail(data.broken);
    else receive(data);
  });
  started.addEventListener('error', () => fail('the engine cannot be loaded'));
}

function stop(): void {
  worker?.terminate();
  worker = undefined;
  for (const id of [...waiting.keys()]) receive({ id, problem: 'it was switched off' });
  for (const address of [...files.keys()]) void forget(address);
  time.textContent = '';
}

function fail(why: string): void {
  toggle.checked = false;
  withGpu.checked = false;
  turned();
  state.textContent = `That does not work here: ${why}.`;
}

/** @param request without the number that its answer will have. */
async function ask(request: { address: string } | { point: PadPoint }): Promise<Answer> {
  const id = ++lastId;
  if (!worker) return { id, problem: 'it is switched off' };
  const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
  worker.postMessage({ id, ...request } satisfies WorkerRequest);
  return answered;
}

function receive(answer: Answer): void {
  waiting.get(answer.id)?.(answer);
  waiting.delete(answer.id);
  if ('pictureMs' in answer) time.textContent = `${answer.pictureMs?.toFixed(0)} ms a picture`;
}

async function forget(href: string): Promise<void> {
  const file = files.get(href);
  files.delete(href);
  const address = await file;
  // An image that has begun to load needs it no more, and one that has just been given it begins now.
  if (address !== undefined) setTimeout(() => URL.revokeObjectURL(address));
}
