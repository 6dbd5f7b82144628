import { describe, expect, it } from 'vitest';
import { chooseTasks, readShard } from './choose-tasks.ts';

describe('the tasks of a process', () => {
  it('are all where none is asked for', () => {
    expect(chooseTasks({}, 3, {})).toEqual([0, 1, 2]);
  });

  it('are one of a number, or every N-th', () => {
    expect(chooseTasks({ task: '2' }, 3, {})).toEqual([2]);
    expect(chooseTasks({ shard: '1/3' }, 8, {})).toEqual([1, 4, 7]);
    expect(chooseTasks({ shard: '3/4' }, 3, {})).toEqual([]);
  });

  it('together are each task once', () => {
    const shards = ['0/3', '1/3', '2/3'].flatMap((shard) => chooseTasks({ shard }, 10, {}));
    expect(shards.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each([
    'SLURM_ARRAY_TASK_ID',
    'JOB_COMPLETION_INDEX',
    'AWS_BATCH_JOB_ARRAY_INDEX',
    'SKYPILOT_JOB_RANK',
  ])('have the number of %s unless one is given', (name) => {
    expect(chooseTasks({ task: true }, 3, { [name]: '1' })).toEqual([1]);
    expect(chooseTasks({ task: '2' }, 3, { [name]: '1' })).toEqual([2]);
    expect(readShard('4', { [name]: '1' })).toEqual({ index: 1, shards: 4 });
  });
});

it.each([
  [{ task: '3' }, {}, '--task 3: the sweep has the tasks 0 to 2'],
  [{ task: '-1' }, {}, '--task must be a whole number from 0, not -1'],
  [{ task: true as const }, {}, '--task has no number, and no scheduler has left one'],
  [
    { task: true as const },
    { SLURM_ARRAY_TASK_ID: '0', SKYPILOT_JOB_RANK: '0' },
    'SLURM_ARRAY_TASK_ID and SKYPILOT_JOB_RANK are both set: give --task its number',
  ],
  [{ shard: '2/2' }, {}, '--shard 2/2: the shards of 2 are 0 to 1'],
  [{ shard: '0/0' }, {}, '--shard 0/0: the shards of 0'],
  [{ shard: '1/x' }, {}, '--shard must be a whole number from 0, not x'],
  [{ task: '0', shard: '0/2' }, {}, '--task runs one task and --shard several'],
])('%j is refused', (selection, environment, message) => {
  expect(() => chooseTasks(selection, 3, environment)).toThrow(message);
});
