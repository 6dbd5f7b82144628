import { expect, it } from 'vitest';
import { kernelTable, workTable } from './work-table.ts';

const row = {
  name: 'a step',
  batch: 2,
  work: [
    // 4 GFLOP at 1 TFLOP/s are 4 ms, 2 MB at 1 TB/s 0.002 ms.
    { name: 'Conv2D', dispatches: 1, flops: 4e9, bytes: 2e6 },
    // No arithmetic; 1 GB at 1 TB/s is 1 ms.
    { name: 'Add', dispatches: 99, flops: 0, bytes: 1e9 },
  ],
};
const cells = (table: string) =>
  table.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

it('bounds a step by arithmetic or memory, whichever takes longer in each call', () => {
  const [, , numbers] = cells(workTable([row], { teraflops: 1, terabytes: 1 }));
  expect(numbers).toEqual(['a step', '2', '100', '4', '1000', '4', '1', '5', '200']);
});

it('sums up by kernel, the longest first', () => {
  const [, , ...rows] = cells(kernelTable(row, { teraflops: 1, terabytes: 1 }));
  expect(rows).toEqual([
    ['Conv2D', '1', '1', '4', '2', '4'],
    ['Add', '1', '99', '0', '1000', '1'],
  ]);
});
