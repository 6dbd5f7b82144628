import { describe, expect, it } from 'vitest';
import {
  activation,
  articleGenerator,
  createRandom,
  decodeWeight,
  dense,
  GENERATOR_MANIFEST,
  loadGeneratorFile,
  packGenerator,
  product,
  type ReadShard,
  readDirections,
  reshape,
  sealManifest,
  sequential,
  UserError,
  withDirections,
} from '../index.ts';

const network = articleGenerator({ latentSize: 5, imageSize: 16, width: 1 / 16 });
const weights = new Map(
  network.weights.map(({ name, shape }) => {
    const values = createRandom(name).uniform(product(shape));
    return [name, name.endsWith('/moving_variance') ? values.map(Math.abs) : values];
  }),
);
const facts = {
  preset: 'article',
  latent: { size: 5, distribution: 'uniform' },
  classes: ['one', 'two'],
  training: { dataset: 'icons', images: 40, iterations: 3, batchSize: 4, seed: 7, engine: 'wasm' },
} as const;

type Files = Map<string, Uint8Array<ArrayBuffer>>;

const pack = (encoding: 'float32' | 'float16' | 'int8' = 'float32'): Promise<Files> =>
  packGenerator({ network, weights, encoding, facts: { ...facts, classes: [...facts.classes] } });

const load = (files: Files) =>
  loadGeneratorFile(async (name) => {
    const file = files.get(name);
    if (!file) throw new UserError(`${name} is missing`);
    return file;
  });

/** The files with the manifest changed. */
async function withManifest(change: (manifest: Record<string, unknown>) => void): Promise<Files> {
  const files = await pack();
  const manifest = JSON.parse(new TextDecoder().decode(files.get(GENERATOR_MANIFEST)));
  change(manifest);
  return files.set(GENERATOR_MANIFEST, await sealManifest(manifest));
}

describe('a generator file', () => {
  it('comes back as it was', async () => {
    const file = await load(await pack());
    expect(file.manifest).toMatchObject({
      ...facts,
      image: { width: 16, height: 16, channels: 3 },
    });
    expect(file.network).toEqual(network);
    for (const [name, values] of weights) {
      expect(decodeWeight(file.weights.get(name)!)).toEqual(values);
    }
  });

  it.each([
    ['float16', 0.001],
    ['int8', 0.005],
  ] as const)('keeps kernels within %s precision, and vectors exactly', async (encoding, bound) => {
    const file = await load(await pack(encoding));
    for (const { name, shape } of network.weights) {
      const decoded = decodeWeight(file.weights.get(name)!);
      const differences = decoded.map((value, i) => Math.abs(value - weights.get(name)![i]!));
      expect(Math.max(...differences)).toBeLessThan(shape.length > 1 ? bound : 1e-30);
    }
  });

  it('is cut into shards of at most 20 MiB, which a tensor may cross', async () => {
    const big = articleGenerator();
    const values = new Map(
      big.weights.map(({ name, shape }) => [name, new Float32Array(product(shape)).fill(0.25)]),
    );
    values.get('dense/kernel')!.forEach((_, i, kernel) => {
      kernel[i] = i;
    });
    const files = await packGenerator({
      network: big,
      weights: values,
      encoding: 'float32',
      facts: { ...facts, latent: { size: 100, distribution: 'uniform' }, classes: [] },
    });
    expect([...files].map(([name, data]) => [name, data.length / 2 ** 20 <= 20])).toEqual([
      ['weights-0.bin', true],
      ['weights-1.bin', true],
      ['weights-2.bin', true],
      [GENERATOR_MANIFEST, true],
    ]);
    const kernel = decodeWeight((await load(files)).weights.get('dense/kernel')!);
    expect(kernel.every((value, i) => value === Math.fround(i))).toBe(true);
  });

  it('is named by its hash: another weight, another name', async () => {
    const first = await load(await pack());
    const again = await load(await pack());
    expect(again.hash).toBe(first.hash);
    const other = await load(await pack('float16'));
    expect(other.hash).not.toBe(first.hash);
  });
});

it('a generator file says the shape, channels and range of its images', async () => {
  const grey = sequential('generator', [5], [dense(6), reshape(3, 2, 1), activation('sigmoid')]);
  const packed = await packGenerator({
    network: grey,
    weights: new Map([
      ['dense/kernel', new Float32Array(30)],
      ['dense/bias', new Float32Array(6)],
    ]),
    encoding: 'float32',
    facts: { ...facts, range: [0, 1], classes: [] },
  });
  const { image } = (await load(packed)).manifest;
  expect(image).toEqual({ width: 2, height: 3, channels: 1, range: [0, 1] });
});

describe('the classes of a generator file', () => {
  it('come back with how often they are sampled', async () => {
    const latent = { ...facts.latent, classes: [3, 1] };
    const packed = await packGenerator({
      network,
      weights,
      encoding: 'float32',
      facts: { ...facts, classes: [...facts.classes], latent },
    });
    expect((await load(packed)).manifest.latent).toEqual(latent);
  });

  it('have names', async () => {
    const files = await withManifest((manifest) => {
      manifest.latent = { ...facts.latent, classes: [3, 1, 2] };
    });
    await expect(load(files)).rejects.toThrow(
      'generator.json: its latents of 5 numbers say one of 3 classes, but it names 2',
    );
  });
});

/** Hands over pieces of so many bytes, and the hash of all. */
const inPieces =
  (files: Files, length: number): ReadShard =>
  async (name, take) => {
    const bytes = files.get(name)!;
    for (let at = 0; at < bytes.length; at += length) {
      const piece = bytes.slice(at, at + length);
      take(piece);
      piece.fill(0); // used up
    }
    return crypto.subtle.digest('SHA-256', bytes);
  };

describe('a generator file that is streamed', () => {
  const stream = (files: Files, readShard: ReadShard) =>
    loadGeneratorFile(async (name) => files.get(name)!, { readShard });

  it.each([
    ['float32', 7],
    ['float16', 1000],
    ['int8', 4099],
  ] as const)('is the same: %s, in pieces of %i bytes', async (encoding, length) => {
    const files = await pack(encoding);
    const { weights: whole } = await load(files);
    const { weights: streamed } = await stream(files, inPieces(files, length));
    for (const { name } of network.weights) expect(streamed.get(name)).toEqual(whole.get(name));
  });

  it('is refused where a bit is flipped, or bytes are missing or too many', async () => {
    const shard = 'weights-0.bin';
    const good = (await pack()).get(shard)!;
    const flipped = good.slice();
    flipped[flipped.length - 1]! ^= 128;
    for (const bytes of [flipped, good.slice(0, -4), new Uint8Array([...good, 0, 0, 0, 0])]) {
      const files = (await pack()).set(shard, bytes);
      await expect(stream(files, inPieces(files, 512))).rejects.toThrow(
        /^weights-0\.bin is damaged .*again$/,
      );
    }
  });

  it('has the kernel of its first layer in the given room, and follows it when that moves', async () => {
    const files = await pack('int8');
    const kernel = network.weights[0]!;
    const lengths: number[] = [];
    let buffer = new ArrayBuffer(0);
    const { weights: loaded } = await loadGeneratorFile(async (name) => files.get(name)!, {
      readShard: inPieces(files, 512),
      kernelRoom(bytes) {
        lengths.push(bytes);
        buffer = new ArrayBuffer(8 + bytes);
        return {
          address: 8,
          get buffer() {
            return buffer;
          },
        };
      },
    });
    expect(lengths).toEqual([product(kernel.shape)]);
    const stored = (await load(files)).weights.get(kernel.name)!;
    const weight = loaded.get(kernel.name)!;
    expect(weight.values.buffer).toBe(buffer);
    expect(weight).toEqual(stored);
    buffer = buffer.transfer(buffer.byteLength + 100); // as a wasm memory does when it grows
    expect(weight).toEqual(stored);
  });
});

describe('the directions of a generator file', () => {
  const directions = [
    { name: 'direction-1', kind: 'factor', vector: new Float32Array([1, 0, 0, 0, 0]) },
    { name: 'やすな', kind: 'class', vector: new Float32Array([0, 0.5, 0, -0.5, 0]) },
  ] as const;

  it('come back with their names, and change nothing else', async () => {
    const { hash, manifest, ...rest } = await load(await pack());
    const files = await pack();
    files.set(GENERATOR_MANIFEST, await withDirections(manifest, directions));
    const file = await load(files);
    expect(readDirections(file.manifest)).toEqual(directions);
    expect(file).toMatchObject(rest);
    expect(file.hash).not.toBe(hash);
    const options = {
      network,
      weights,
      encoding: 'float32',
      facts: { ...facts, classes: [] },
    } as const;
    const packed = await packGenerator({ ...options, facts: { ...options.facts, directions } });
    expect(readDirections((await load(packed)).manifest)).toEqual(directions);
  });

  it.each([
    [{ name: 'b' }, 'the direction "b" comes twice'],
    [{ vector: 'AAAA' }, 'the direction "a" has a vector that has 4 characters'],
  ])('are refused where they cannot be used: %j', async (change, message) => {
    const [a, b] = ['a', 'b'].map((name) => ({ name, kind: 'factor', vector: 'A'.repeat(14) }));
    const files = await withManifest((manifest) => {
      manifest.directions = [{ ...a, ...change }, b];
    });
    await expect(load(files)).rejects.toThrow(message);
  });
});

describe('a generator file that is not right is refused:', () => {
  const refusal = async (files: Files | Promise<Files>): Promise<string> => {
    const error: unknown = await load(await files).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  };

  it('one bit flipped', async () => {
    const files = await pack();
    files.get('weights-0.bin')![1000]! ^= 1;
    expect(await refusal(files)).toMatch(/^weights-0\.bin is damaged .*sha256.*export or copy/);
  });

  it('any bit of its manifest flipped', async () => {
    const whole = (await pack()).get(GENERATOR_MANIFEST)!;
    for (let place = 5; place < whole.length; place += 97) {
      const files = await pack();
      const bytes = Uint8Array.from(whole);
      bytes[place]! ^= 1 << (place % 7);
      expect(await refusal(files.set(GENERATOR_MANIFEST, bytes))).toMatch(/generator/);
    }
  });

  it('a variance that is negative', async () => {
    const name = 'batch_normalization/moving_variance';
    const negative = new Map(weights).set(name, weights.get(name)!.with(0, -0.5));
    const files = await packGenerator({
      ...{ network, weights: negative, encoding: 'int8' },
      facts: { ...facts, classes: [...facts.classes] },
    });
    expect(await refusal(files)).toBe(
      `the weight ${name} has a negative variance, which has no root`,
    );
  });

  it('images of more numbers than a layer may make', async () => {
    const files = withManifest((manifest) => {
      const padding = { type: 'zeroPadding2d', padding: [[0, 8176], [0, 8176]] }; // biome-ignore format: as JSON
      (manifest.layers as object[]).push(padding);
    });
    expect(await refusal(files)).toBe(
      'generator.json: layer 13 (zeroPadding2d) makes 8192 × 8192 × 3 numbers of one image; ' +
        'the most are 67108864: images of fewer pixels or channels',
    );
  });

  it('tensors that overlap, or that no layer has', async () => {
    type Tensors = { name: string; offset: number }[];
    const overlapping = withManifest((manifest) => {
      (manifest.tensors as Tensors)[1]!.offset = 4;
    });
    expect(await refusal(overlapping)).toBe(
      'generator.json: the tensors dense/kernel and dense/bias overlap',
    );
    const surplus = withManifest((manifest) => {
      const tensors = manifest.tensors as Tensors;
      tensors.push({ ...tensors[0]!, name: 'dense_9/kernel' });
    });
    expect(await refusal(surplus)).toBe(
      'generator.json: the tensor dense_9/kernel is there twice, or no layer has such a weight',
    );
  });

  it.each(['float32', 'float16', 'int8'] as const)(
    'with a number that is none, in %s',
    async (encoding) => {
      const diverged = new Map(weights);
      diverged.set('dense/kernel', weights.get('dense/kernel')!.with(3, Number.NaN));
      const files = await packGenerator({
        network,
        weights: diverged,
        encoding,
        facts: { ...facts, classes: [...facts.classes] },
      });
      expect(await refusal(files)).toMatch(
        /^the weight dense\/kernel has numbers that are not finite/,
      );
    },
  );

  it('a shard cut short', async () => {
    const files = await pack();
    files.set('weights-0.bin', files.get('weights-0.bin')!.slice(0, -4));
    expect(await refusal(files)).toMatch(/^weights-0\.bin is damaged/);
  });

  it('a manifest that is not JSON', async () => {
    const files = await pack();
    files.set(GENERATOR_MANIFEST, new TextEncoder().encode('{"format":'));
    expect(await refusal(files)).toBe(
      'generator.json is not JSON: export or copy the generator again',
    );
  });

  it('another kind of JSON', async () => {
    const files = await pack();
    files.set(GENERATOR_MANIFEST, new TextEncoder().encode('{"modelTopology":{}}'));
    expect(await refusal(files)).toBe('generator.json is not a killme-generator manifest');
  });

  it.each([
    ['licence', '', 256],
    ['licence', 'a\nb', 256],
    ['licence', 'MIT\0', 256],
    ['licence', 'a'.repeat(1_000_000), 256],
    ['credit', 'a\u2028b', 512],
    ['credit', '\ud800', 512],
  ])('a %s that is not one line: %j', async (key, text, most) => {
    const files = await withManifest((manifest) => {
      manifest[key] = text;
    });
    await expect(load(files)).rejects.toThrow(
      `generator.json: ${key}: must be one line of 1 to ${most} characters, without control characters`,
    );
  });

  it('a version from the future', async () => {
    const message = await refusal(
      withManifest((manifest) => Object.assign(manifest, { version: 9 })),
    );
    expect(message).toBe(
      'generator.json has format version 9, this program reads version 5: update it',
    );
  });

  it('a shard outside the folder', async () => {
    const message = await refusal(
      withManifest((manifest) => {
        (manifest.shards as { file: string }[])[0]!.file = '../secrets.bin';
      }),
    );
    expect(message).toContain('shards.0.file: must be a plain .bin file name beside the manifest');
  });

  it('a weight that is missing, of another shape, or beyond the shards', async () => {
    type Tensors = { shape: number[]; offset: number }[];
    const without = withManifest((manifest) => void (manifest.tensors as Tensors).pop());
    expect(await refusal(without)).toBe('generator.json: the weight conv2d_2/bias is missing');
    const reshaped = withManifest((manifest) => {
      (manifest.tensors as Tensors)[1]!.shape = [7];
    });
    expect(await refusal(reshaped)).toBe(
      'generator.json: the weight dense/bias has shape [7], its layer takes [128]',
    );
    const beyond = withManifest((manifest) => {
      (manifest.tensors as Tensors)[0]!.offset = 2 ** 30;
    });
    expect(await refusal(beyond)).toBe(
      'generator.json: the weight dense/kernel lies beyond the shards',
    );
  });
});
