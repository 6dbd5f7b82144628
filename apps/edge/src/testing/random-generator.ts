import {
  articleGenerator,
  createRandom,
  type Encoding,
  type LatentSpace,
  type Network,
  packGenerator,
  product,
} from '@killme/model';

/**
 * The files of a generator that has learnt nothing: the article's layers, narrow, with random
 * weights, and directions along its first and its last component. The same bytes each time.
 * @param options.imageSize a multiple of 4
 * @param options.network another than the article's
 * @param options.distribution of its latents
 * @param options.classes of a class-conditional generator, with the number of training images of each; none when omitted.
 */
export async function randomGeneratorFiles({
  width = 1 / 16,
  imageSize = 32,
  encoding = 'int8',
  classes,
  distribution = 'uniform',
  network = articleGenerator({ width, imageSize }),
}: {
  width?: number;
  imageSize?: number;
  encoding?: Encoding;
  network?: Network;
  distribution?: LatentSpace['distribution'];
  classes?: Readonly<Record<string, number>> | undefined;
} = {}): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const weights = new Map(
    network.weights.map(({ name, shape }) => {
      const values = createRandom(`test/${name}`).uniform(product(shape));
      return [name, values.map((value) => value * spread(name, shape) + centre(name))] as const;
    }),
  );
  const training = {
    dataset: 'none, random weights',
    images: 1,
    iterations: 0,
    batchSize: 1,
    seed: 0,
    engine: 'none',
  };
  const counts = classes && Object.values(classes);
  const latent = { size: 100, distribution, classes: counts };
  const directions = [
    { name: 'direction-1', kind: 'factor' as const, vector: axis(0) },
    { name: 'やすな: 1, 2', kind: 'class' as const, vector: axis(99) },
  ];
  const facts = {
    preset: 'article',
    latent,
    classes: Object.keys(classes ?? {}),
    training,
    directions,
  };
  return packGenerator({ network, weights, encoding, facts });
}

/** The direction in which one component of a latent grows. */
function axis(component: number): Float32Array {
  return new Float32Array(100).fill(1, component, component + 1);
}

/** Keeps the variance of what flows through a kernel, so that pictures are neither flat nor clipped. */
function spread(name: string, shape: readonly number[]): number {
  return name.endsWith('/kernel') ? Math.sqrt(3 / product(shape.slice(0, -1))) : 0.2;
}

function centre(name: string): number {
  return /gamma|variance/.test(name) ? 1 : 0;
}
