import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { readGeneratorManifest } from '@killme/model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { folderReader } from '../src/runtimes/disk.ts';
import { randomGeneratorFiles } from '../src/testing/index.ts';
import {
  type DeploymentRecord,
  describeDeployment,
  linesOfVanishing,
  newestDeployment,
  rememberDeployment,
  workerOf,
} from './deployments.ts';

let folder: string;
let before: DeploymentRecord;

async function writeGenerator(name: string, imageSize: number) {
  await mkdir(`${folder}/${name}`, { recursive: true });
  for (const [file, bytes] of await randomGeneratorFiles({ imageSize })) {
    await writeFile(`${folder}/${name}/${file}`, bytes);
  }
  return readGeneratorManifest(folderReader(`${folder}/${name}`));
}

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/killme-deployments-`);
  const first = await writeGenerator('first', 16);
  const shown = await writeGenerator('gallery/generator', 32);
  before = describeDeployment(
    {
      generators: [
        { name: 'first', folder: `${folder}/first` },
        { name: 'shown', folder: `${folder}/shown`, gallery: `${folder}/gallery` },
      ],
    },
    [first, { ...shown, pictures: 50 }],
  );
  before.at = '2026-11-29T14:00:00.000Z';
});

afterAll(() => rm(folder, { recursive: true }));

it('names what a deployment takes away, and how it is kept', async () => {
  process.env.INIT_CWD = folder;
  const [first, shown] = before.generators;
  expect(await linesOfVanishing(before, { ...before, generators: [first!] })).toEqual([
    `/v/${shown!.hash.slice(0, 16)}-50, deployed on 2026-11-29, is not in this deployment: ` +
      'pictures that others have embedded from there will be 404; keep it with --keep gallery',
  ]);
  expect(await linesOfVanishing(before, before)).toEqual([]);
  // Seeds stand for others of 60 pictures.
  const larger = { ...shown!, pin: shown!.pin.replace('-50', '-60') };
  expect(await linesOfVanishing(before, { ...before, generators: [first!, larger] })).toHaveLength(
    1,
  );
});

it('says so when the folder holds another generator by now', async () => {
  await writeGenerator('first', 64);
  const [, shown] = before.generators;
  const [line] = await linesOfVanishing(before, { ...before, generators: [shown!] });
  expect(line).toMatch(/to keep it, --keep takes a copy of it, as first holds another/);
});

it('remembers the newest deployment of each Worker', async () => {
  const file = `${folder}/deployed.json`;
  expect(await newestDeployment('', file)).toBeUndefined();
  await rememberDeployment('', before, file);
  await rememberDeployment('--name other', { ...before, generators: [] }, file);
  expect(await newestDeployment('', file)).toEqual(before);
  await writeFile(file, 'no JSON');
  expect(await newestDeployment('', file)).toBeUndefined();
});

it.each([
  [[], ''],
  [['--dry-run', '--outdir', 'x'], ''],
  [['--name', 'other'], '--name other'],
  [['-e', 'live', '--config=a.jsonc'], '--config a.jsonc --env live'],
])('knows the Worker that wrangler is told: %j', (rest, worker) => {
  expect(workerOf(rest)).toBe(worker);
});
