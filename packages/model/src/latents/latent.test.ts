import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createRandom,
  decodeLatent,
  defaultPath,
  encodeLatent,
  lerp,
  mix,
  placeClasses,
  randomLatents,
  seedToLatent,
  slerp,
  stackLatents,
  toNearestClass,
  walk,
} from '../index.ts';

const space = { size: 100, distribution: 'uniform' } as const;

/** Made by Python's hashlib: test/reference/latent_vectors.py. */
const reference = z
  .object({
    size: z.literal(100),
    vectors: z.array(
      z.object({
        seed: z.string(),
        first: z.array(z.number()),
        sum: z.number(),
        uniform01: z.array(z.number()),
        normal: z.array(z.number()),
        shifted: z.array(z.number()),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync('../../test/reference/latents.json', 'utf8')));

describe('seedToLatent', () => {
  it.each(reference.vectors)('gives the frozen latent of "$seed"', ({ seed, first, sum }) => {
    const latent = seedToLatent(seed, space);
    expect([...latent.subarray(0, first.length)]).toEqual(first);
    expect(latent.reduce((total, value) => total + value, 0)).toBe(sum);
  });
});

describe('latents of other distributions', () => {
  it.each(reference.vectors)('are frozen for "$seed" too', ({ seed, ...expected }) => {
    const { uniform01, normal, shifted } = expected;
    const first = (values: Float32Array) => [...values.subarray(0, 4)];
    expect(first(seedToLatent(seed, { size: 100, distribution: 'uniform01' }))).toEqual(uniform01);
    expect([...seedToLatent(seed, { size: 100, distribution: 'normal' })]).toEqual(normal);
    const space = { size: 100, distribution: 'normal', mean: -1, deviation: 0.5 } as const;
    expect(first(seedToLatent(seed, space))).toEqual(shifted);
  });

  it('keep the length of a sum of normal latents, and count from the mean', () => {
    const normal = { size: 2, distribution: 'normal' } as const;
    const sum = { plus: [Float32Array.of(3, 0), Float32Array.of(0, 4)], minus: [] };
    expect([...mix(sum, normal)]).toEqual([Math.fround(2.4), Math.fround(3.2)]);
    const half = { size: 1, distribution: 'uniform01' } as const;
    expect([
      ...mix({ plus: [Float32Array.of(0.75)], minus: [Float32Array.of(0.625)] }, half),
    ]).toEqual([0.625]);
  });

  it('have a range of their own as text, and walk on arcs when they are normal', () => {
    const normal = { size: 1, distribution: 'normal' } as const;
    const text = encodeLatent(Float32Array.of(5.5));
    expect([...decodeLatent(text, normal)]).toEqual([5.5]);
    expect(() => decodeLatent(text, { size: 1, distribution: 'uniform' })).toThrow('has 5.5');
    expect(defaultPath(normal)).toBe('slerp');
    expect(defaultPath(space)).toBe('linear');
  });
});

describe('a latent space with classes', () => {
  const conditional = { ...space, size: 8, classes: [30, 10] };

  it('has the class in its last components, as often as among the training images', () => {
    const latents = Array.from({ length: 1000 }, (_, i) => seedToLatent(`${i}`, conditional));
    const counts = [0, 0];
    for (const [i, latent] of latents.entries()) {
      const plain = seedToLatent(`${i}`, { ...conditional, classes: undefined });
      expect(latent.subarray(0, 6)).toEqual(plain.subarray(0, 6));
      // The component that would be the seventh chooses: below 0.5 are three quarters of [-1, 1).
      const label = plain[6]! < 0.5 ? 0 : 1;
      expect([...latent.subarray(6)]).toEqual(label === 0 ? [1, -1] : [-1, 1]);
      counts[label]!++;
    }
    expect(counts[1]! / 1000).toBeGreaterThan(0.21);
    expect(counts[1]! / 1000).toBeLessThan(0.29);
  });

  it('samples the same one by one as at once', () => {
    const random = createRandom('many');
    const oneByOne = [1, 2].flatMap(() => [...randomLatents(random, 1, conditional)]);
    expect([...randomLatents(createRandom('many'), 2, conditional)]).toEqual(oneByOne);
  });

  it('takes classes that it has, and no others', () => {
    const latents = placeClasses(new Float32Array(16).fill(0.5), [1, 0], conditional);
    const rest = new Array(6).fill(0.5);
    expect([...latents]).toEqual([...rest, -1, 1, ...rest, 1, -1]);
    expect(() => placeClasses(new Float32Array(8), [2], conditional)).toThrow(
      'there is no class 2',
    );
    expect(() => placeClasses(new Float32Array(8), [0], space)).toThrow('there is no class 0');
  });
});

describe('toNearestClass', () => {
  const conditional = { size: 5, distribution: 'uniform', classes: [1, 1, 1] } as const;

  it('takes the class that is the larger, and the lead of the first components where two are near', () => {
    // Scores c_k + u_k / 2 of the three classes, by hand.
    const cases: [latent: number[], scores: number[], label: number][] = [
      [[0.2, 0.4, -1, 1, -1], [-0.9, 1.2, -1], 1],
      [[0.2, 0.4, 0, 0, -1], [0.1, 0.2, -1], 1],
      [[0.8, -0.6, -0.5, 0.25, -1], [-0.1, -0.05, -1], 1],
      [[0.9, -0.6, -0.5, 0.1, -1], [-0.05, -0.2, -1], 0],
    ];
    for (const [latent, scores, label] of cases) {
      const whole = [...toNearestClass(Float32Array.from(latent), conditional)];
      expect(scores.indexOf(Math.max(...scores))).toBe(label);
      expect(whole.slice(2)).toEqual([0, 1, 2].map((k) => (k === label ? 1 : -1)));
      expect(whole.slice(0, 2)).toEqual(latent.slice(0, 2).map(Math.fround));
    }
  });

  it('changes over once on a walk between two classes, between a quarter and three quarters of it', () => {
    const space = { size: 100, distribution: 'uniform', classes: [5, 3] } as const;
    const places = Array.from({ length: 50 }, (_, i) => {
      const [from, to] = [seedToLatent(`${i}`, space), seedToLatent(`${i}/to`, space)];
      placeClasses(from, [0], space);
      placeClasses(to, [1], space);
      const classes = walk({ from, to, steps: 101 }).map((latent) => {
        const [first, second] = toNearestClass(latent, space).subarray(98);
        expect([first! + second!, Math.abs(first!)]).toEqual([0, 1]);
        return first === 1 ? 0 : 1;
      });
      const change = classes.indexOf(1);
      expect(classes.slice(change)).toEqual(classes.slice(change).fill(1));
      return change;
    });
    expect(Math.min(...places)).toBeGreaterThan(25);
    expect(Math.max(...places)).toBeLessThan(75);
    expect(new Set(places).size).toBeGreaterThan(10);
  });

  it('leaves a latent of one class as it is, and those of a space without classes', () => {
    const latent = placeClasses(Float32Array.from([-1, 1, 0, 0, 0]), [0], conditional);
    expect(toNearestClass(latent, conditional)).toEqual(latent);
    const plain = Float32Array.of(0.5, 0.2, 0.1, 0, 0);
    expect(toNearestClass(plain, { size: 5, distribution: 'uniform' })).toBe(plain);
  });

  it('looks at where normal components lie between √3 deviations of their mean', () => {
    const normal = { ...conditional, distribution: 'normal', mean: 1, deviation: 2 } as const;
    const ends = [1 - 2 * Math.sqrt(3), 1 + 2 * Math.sqrt(3)];
    // Leads of −½ and ½, as far as they go: 0.5 − ½ is behind −0.4 + ½, and before −0.6 + ½.
    const latent = Float32Array.from([9 * ends[0]!, 9 * ends[1]!, 0.5, -0.4, -1]);
    expect([...toNearestClass(latent, normal)].slice(2)).toEqual([-1, 1, -1]);
    latent[3] = -0.6;
    expect([...toNearestClass(latent, normal)].slice(2)).toEqual([1, -1, -1]);
  });
});

const a = new Float32Array([1, 0]);
const b = new Float32Array([0, 2]);

describe('walk', () => {
  it('has both ends and equal steps between', () => {
    const points = walk({ from: a, to: b, steps: 3 }).map((point) => [...point]);
    expect(points).toEqual([
      [1, 0],
      [0.5, 1],
      [0, 2],
    ]);
  });
});

describe('slerp', () => {
  it('turns the direction and the length evenly', () => {
    // Half of a right angle, and the mean of the lengths 1 and 2.
    const [x, y] = slerp(a, b, 0.5);
    expect(Math.atan2(y!, x!)).toBeCloseTo(Math.PI / 4, 6);
    expect(Math.hypot(x!, y!)).toBeCloseTo(1.5, 6);
  });

  it('ends where it should', () => {
    expect([...slerp(a, b, 0)]).toEqual([...a]);
    expect(slerp(a, b, 1)[0]).toBeCloseTo(0, 6);
    expect(slerp(a, b, 1)[1]).toBeCloseTo(2, 6);
  });

  it.each([
    ['equal', a],
    ['opposite', new Float32Array([-1, 0])],
    ['zero', new Float32Array([0, 0])],
  ])('is the straight line between %s endpoints', (_, end) => {
    expect([...slerp(a, end, 0.25)]).toEqual([...lerp(a, end, 0.25)]);
  });
});

describe('mix', () => {
  it('adds and subtracts, and stays in the range of the latents', () => {
    const plus = [new Float32Array([0.5, 0.75, -0.5]), new Float32Array([0.25, 0.75, -0.75])];
    const minus = [new Float32Array([0.5, 0.25, 0.5])];
    expect([...mix({ plus, minus }, space)]).toEqual([0.25, 1, -1]);
  });
});

describe('stackLatents', () => {
  it('puts latents side by side', () => {
    expect([...stackLatents([a, b])]).toEqual([1, 0, 0, 2]);
  });
});
