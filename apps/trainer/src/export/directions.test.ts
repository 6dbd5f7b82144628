import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import {
  articleGenerator,
  createRandom,
  encodeWeight,
  type HostWeight,
  liteGenerator,
  loadGeneratorFile,
  moveLatent,
  type Network,
  packGenerator,
  placeClasses,
  product,
  readDirections,
  seedToLatent,
} from '@killme/model';
import { describe, expect, it } from 'vitest';
import {
  classDirections,
  conditionDirections,
  factorDirections,
  writeDirections,
} from './directions.ts';

/** Weights of a network: random, but for those that are given. */
function weightsOf(network: Network, given: Record<string, Float32Array>) {
  return new Map(
    network.weights.map(({ name, shape }): [string, HostWeight] => {
      const random = createRandom(name).uniform(product(shape));
      return [name, encodeWeight(given[name] ?? random, shape, 'float32')];
    }),
  );
}

const space = (size: number) => ({ size, distribution: 'uniform' }) as const;

describe('factorDirections', () => {
  const network = articleGenerator({ latentSize: 3, imageSize: 16, width: 1 / 16 });

  /** A kernel that stretches along three given axes of latent space, which stand square on each other. */
  function kernelAlong(axes: number[][], strengths: number[]): Float32Array {
    const units = network.weights[0]!.shape[1]!;
    const kernel = new Float32Array(3 * units);
    axes.forEach((axis, unit) => {
      axis.forEach((value, i) => {
        kernel[i * units + unit] = value * strengths[unit]!;
      });
    });
    return kernel;
  }

  it('finds the axes that the first layer was made of, the strongest first', () => {
    const axes = [
      [0.6, -0.8, 0],
      [0, 0, -1],
      [0.8, 0.6, 0],
    ];
    const kernel = kernelAlong(axes, [2, 0.5, 3]);
    const directions = factorDirections(
      network,
      weightsOf(network, { 'dense/kernel': kernel }),
      space(3),
    );
    expect(directions.map(({ name, kind }) => [name, kind])).toEqual([
      ['direction-1', 'factor'],
      ['direction-2', 'factor'],
      ['direction-3', 'factor'],
    ]);
    // The largest component of each is positive.
    const expected = [
      [0.8, 0.6, 0],
      [-0.6, 0.8, 0],
      [0, 0, 1],
    ];
    directions.forEach(({ vector }, i) => {
      [...vector].forEach((value, j) => {
        expect(value).toBeCloseTo(expected[i]![j]!, 6);
      });
    });
  });

  it('leaves alone the components of the class, however much they change', () => {
    const axes = [
      [0.6, 0.8, 0],
      [0, 0, 1],
      [-0.8, 0.6, 0],
    ];
    const kernel = kernelAlong(axes, [2, 9, 1]);
    const conditional = { ...space(3), classes: [5] };
    const directions = factorDirections(
      network,
      weightsOf(network, { 'dense/kernel': kernel }),
      conditional,
    );
    expect(directions).toHaveLength(2);
    expect(directions.map(({ vector }) => vector[2])).toEqual([0, 0]);
    expect(directions[0]!.vector[0]).toBeCloseTo(0.6, 6);
    expect(directions[0]!.vector[1]).toBeCloseTo(0.8, 6);
  });

  it('counts a normalization directly after the first layer as part of it', () => {
    const lite = liteGenerator({ latentSize: 2 });
    const [, units] = lite.weights[0]!.shape as [number, number];
    const channels = 192;
    // Component 0 goes to channel 0 and component 1, twice as strong, to channel 1, whose scale is a tenth.
    const kernel = new Float32Array(2 * units);
    for (let unit = 0; unit < units; unit += channels) {
      kernel[unit] = 1;
      kernel[units + unit + 1] = 2;
    }
    const given = {
      'dense/kernel': kernel,
      'batch_normalization/gamma': new Float32Array(channels).fill(1).fill(0.1, 1, 2),
      'batch_normalization/moving_variance': new Float32Array(channels).fill(1),
    };
    const [first] = factorDirections(lite, weightsOf(lite, given), space(2));
    expect(first!.vector[0]).toBeCloseTo(1, 6);
    expect(first!.vector[1]).toBeCloseTo(0, 6);
  });
});

describe('factorDirections of a generator with a mapping network', () => {
  it('are those of the layer after it', () => {
    const lite = liteGenerator({ latentSize: 2, imageSize: 8, mapping: true });
    const [, units] = lite.weights.find(({ name }) => name === 'dense_6/kernel')!.shape;
    const kernel = new Float32Array(2 * units!).fill(1, units, units! + 5);
    const ones = new Float32Array(192).fill(1);
    const given = weightsOf(lite, {
      'dense_6/kernel': kernel,
      'batch_normalization/gamma': ones,
      'batch_normalization/moving_variance': ones,
    });
    const [first] = factorDirections(lite, given, space(2));
    expect([...first!.vector].map(Math.abs)).toEqual([0, 1]);
  });
});

describe('classDirections', () => {
  it('lead from the mean of all to the mean of the class', () => {
    const latents = Array.from({ length: 100 }, (_, i) =>
      Float32Array.of(i < 25 ? 0.8 : 0, i < 25 ? -0.6 : 0.2),
    );
    const labels = latents.map((_, i) => (i < 25 ? 1 : i < 90 ? 0 : 2));
    const directions = classDirections({ latents, labels, classes: ['a', 'b', 'rare', 'none'] });
    expect(directions.map(({ name, kind }) => [name, kind])).toEqual([
      ['a', 'class'],
      ['b', 'class'],
    ]);
    // From the mean (0.2, 0) to (0.8, -0.6) and to (0, 0.2).
    const root = Math.SQRT1_2;
    [...directions[1]!.vector].forEach((value, i) => {
      expect(value).toBeCloseTo([root, -root][i]!, 5);
    });
    expect(directions[0]!.vector[0]).toBeCloseTo(-root, 5);
  });
});

describe('conditionDirections', () => {
  const names = ['raven', 'hazel', 'sunny'];
  const latent = { size: 8, distribution: 'uniform', classes: [5, 3, 2] } as const;

  it('are the components of the class', () => {
    expect(
      conditionDirections(names, latent).map(({ vector, ...rest }) => ({
        ...rest,
        vector: [...vector],
      })),
    ).toEqual([
      { name: 'raven', kind: 'class', vector: [0, 0, 0, 0, 0, 1, -1, -1] },
      { name: 'hazel', kind: 'class', vector: [0, 0, 0, 0, 0, -1, 1, -1] },
      { name: 'sunny', kind: 'class', vector: [0, 0, 0, 0, 0, -1, -1, 1] },
    ]);
    expect(conditionDirections(names, { ...latent, classes: undefined })).toEqual([]);
  });

  it('make any latent one of the class from a strength of 2√3 on, and leave the rest', () => {
    // Each component goes strength / √3 of the way of 2 from −1 to 1.
    for (const [label, { vector }] of conditionDirections(names, latent).entries()) {
      for (const seed of ['a', 'b', 'c', 'd', 'e']) {
        const from = seedToLatent(seed, latent);
        const there = [...placeClasses(from.slice(), [label], latent)];
        const moved = (strength: number) => [...moveLatent(from, [{ vector, strength }], latent)];
        expect(moved(3.465)).toEqual(there);
        expect(moved(4)).toEqual(there);
        if (from[5 + label] === -1) expect(moved(3.46)[5 + label]).toBeLessThan(1);
      }
    }
  });
});

describe('writeDirections', () => {
  /** A generator file with so many classes in its latents. */
  async function writeGenerator(folder: string, count: number) {
    const network = articleGenerator({ imageSize: 16, width: 1 / 16 });
    const weights = new Map(
      network.weights.map(({ name, shape }) => {
        const values = createRandom(name).uniform(product(shape));
        return [name, name.endsWith('/moving_variance') ? values.map(Math.abs) : values];
      }),
    );
    const names = Array.from({ length: count }, (_, i) => `class ${i}`);
    const classes = count > 0 ? { classes: names.map((_, i) => i + 1) } : {};
    const facts = {
      preset: 'article',
      latent: { size: 100, distribution: 'uniform', ...classes },
      classes: names,
      training: { dataset: 'none', engine: 'none' },
    } as const;
    for (const [name, bytes] of await packGenerator({
      network,
      weights,
      encoding: 'int8',
      facts,
    })) {
      await writeFile(`${folder}/${name}`, bytes);
    }
  }

  /** The directions that are written into the file of a generator with so many classes, and those that it has then. */
  async function written(count: number, label: Parameters<typeof writeDirections>[1]) {
    const folder = await mkdtemp(`${tmpdir()}/killme-directions-`);
    try {
      await writeGenerator(folder, count);
      const directions = await writeDirections(folder, label);
      const { manifest } = await loadGeneratorFile(async (name) => {
        return new Uint8Array(await readFile(`${folder}/${name}`));
      });
      const stored = readDirections(manifest);
      return { directions, stored, names: stored.map(({ name }) => name) };
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it.each([
    [3, 3],
    [90, 58],
  ])(
    'needs no classifier for %i classes of a class-conditional generator, and writes %i',
    async (count, expected) => {
      const { directions, stored, names } = await written(count, () => {
        throw new Error('nothing is to be classified');
      });
      expect(stored.slice(6)).toEqual(directions.slice(6));
      expect(names.slice(6)).toEqual(Array.from({ length: expected }, (_, i) => `class ${i}`));
    },
  );

  it('writes as many of the classes that a classifier sees as a file has room for, each name once', async () => {
    const classes = ['direction-1', ...Array.from({ length: 79 }, (_, i) => `class ${i}`)];
    const samples = 20 * classes.length;
    const latents = Array.from({ length: samples }, (_, i) => seedToLatent(`${i}`, space(100)));
    const labels = latents.map((_, i) => i % classes.length);
    const { names } = await written(0, async () => ({ latents, labels, classes }));
    expect(names).toHaveLength(64);
    expect(names.slice(0, 7)).toEqual([
      ...[1, 2, 3, 4, 5, 6].map((place) => `direction-${place}`),
      'class 0',
    ]);
  });
});
