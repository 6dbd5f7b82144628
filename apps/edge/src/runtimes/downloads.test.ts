import { expect, it } from 'vitest';
import { limitDownloads, MOST_DOWNLOADS } from './downloads.ts';

const begin = ({ begin }: ReturnType<typeof limitDownloads>) =>
  Array.from({ length: MOST_DOWNLOADS }, begin);

it('so many files are sent at a time; one that ends twice makes room for one', () => {
  const downloads = limitDownloads();
  const [first] = begin(downloads);
  expect(downloads.begin).toThrow('Too many files of generators are being sent');
  first!();
  first!();
  downloads.begin();
  expect(downloads.begin).toThrow('Too many files of generators are being sent');
});

it('one of which nothing is heard is counted no more', () => {
  const downloads = limitDownloads({ forgetMs: -1 });
  begin(downloads);
  downloads.begin();
});
