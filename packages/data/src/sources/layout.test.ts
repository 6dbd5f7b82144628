import { describe, expect, it } from 'vitest';
import { compareBytes, layOut } from './layout.ts';

const list = (...paths: string[]) => paths.map((path) => ({ path, size: 1 }));
const classesOf = (...paths: string[]) =>
  layOut('icons', list(...paths)).images.map((image) => `${image.path} ${image.class}`);

describe('layOut', () => {
  it('takes folders as classes, as the article has them', () => {
    expect(classesOf('02/02_001.png', '01/01_082.png')).toEqual([
      '01/01_082.png 01',
      '02/02_001.png 02',
    ]);
  });

  it('takes a flat folder as one class with the name of the dataset', () => {
    expect(classesOf('b.png', 'a.png')).toEqual(['a.png icons', 'b.png icons']);
  });

  it('looks through folders that wrap everything', () => {
    expect(classesOf('set/png/01/a.png', 'set/png/02/b.png', 'set/readme.txt')).toEqual([
      'set/png/01/a.png 01',
      'set/png/02/b.png 02',
    ]);
  });

  it('names one folder of images after that folder', () => {
    expect(classesOf('set/cats/a.png', 'set/cats/b.png')).toEqual([
      'set/cats/a.png cats',
      'set/cats/b.png cats',
    ]);
  });

  it('counts deeper folders to the topmost one', () => {
    expect(classesOf('a/x/1.png', 'a/2.png', 'b/3.png')).toEqual([
      'a/2.png a',
      'a/x/1.png a',
      'b/3.png b',
    ]);
  });

  it('makes images beside folders a class named "."', () => {
    expect(classesOf('1.png', 'a/2.png')).toEqual(['1.png .', 'a/2.png a']);
  });

  it('sorts by bytes, whatever the locale', () => {
    expect(['ä', 'b', 'a', 'B', '10', '9', '😀', '\uffff'].sort(compareBytes)).toEqual([
      '10',
      '9',
      'B',
      'a',
      'b',
      'ä',
      '\uffff',
      '😀',
    ]);
  });

  it('passes over what operating systems leave, without a word', () => {
    const files = list(
      '.DS_Store',
      'a/Thumbs.db',
      '__MACOSX/a/._1.png',
      '.git/x.png',
      'desktop.ini',
    );
    expect(layOut('icons', files)).toMatchObject({ images: [], omitted: [] });
  });

  it('says why other files are omitted, and which of them are bad images', () => {
    const layout = layOut('icons', [
      { path: 'LICENSE', size: 9 },
      { path: 'big.png', size: 70 * 2 ** 20 },
      { path: 'empty.png', size: 0 },
      { path: 'link.png', size: 5, fault: 'a symbolic link' },
      { path: 'notes.txt', size: 9 },
      { path: 'ok.PNG', size: 9 },
    ]);
    expect(layout.images).toEqual([{ path: 'ok.PNG', file: 'ok.PNG', class: 'icons' }]);
    const bad = [
      { file: 'big.png', reason: 'the file has 70 MiB, the limit is 64 MiB' },
      { file: 'empty.png', reason: 'the file is empty (0 bytes)' },
      { file: 'link.png', reason: 'a symbolic link' },
    ];
    expect(layout.omitted).toEqual([
      { file: 'LICENSE', reason: 'not an image (no file name extension)' },
      ...bad,
      { file: 'notes.txt', reason: 'not an image (.txt)' },
    ]);
    expect(layout.bad).toEqual(bad);
  });
});
