import { describe, expect, it } from 'vitest';
import { trainCommand, VARIANT_NAMES, variantOptions } from './ablate.ts';
import { parseGivenOptions, resolveOptions } from './options.ts';

const settled = (name: (typeof VARIANT_NAMES)[number]) =>
  resolveOptions({ ...variantOptions(name, { seed: 7, backend: 'wasm' }), name: 'run' });

describe('the variants of the ablation', () => {
  it.each(VARIANT_NAMES.filter((name) => name !== 'lite' && name !== 'article'))(
    '%s is lite but for one thing',
    (name) => {
      const [{ methods, ...options }, { methods: changed, ...others }] = [
        settled('lite'),
        settled(name),
      ];
      const differences = [
        ...Object.entries({ ...others, ...changed }).filter(
          ([key, value]) =>
            JSON.stringify(value) !==
            JSON.stringify({ ...options, ...methods }[key as keyof typeof options]),
        ),
      ];
      expect(differences).toHaveLength(1);
    },
  );

  it('are repeated by the command that stands in their row', () => {
    for (const name of VARIANT_NAMES) {
      const given = variantOptions(name, { seed: 7, backend: 'wasm' });
      const words = trainCommand(given).split(' --').slice(2);
      const flags = words.map((flag): [string, string] => {
        const [key, value] = flag.split(' ') as [string, string];
        return [key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), value];
      });
      const typed = parseGivenOptions(Object.fromEntries(flags), 'flag');
      expect(resolveOptions({ ...typed, name: 'run' })).toEqual(settled(name));
    }
  });
});
