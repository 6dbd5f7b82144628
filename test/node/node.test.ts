import { createApp, diskOptions } from '@killme/edge';
import { describeContract } from '../contract.ts';

describeContract({
  name: 'Node',
  async start(generator) {
    const app = createApp(diskOptions(generator));
    return { fetch: async (path, init) => app.request(path, init), stop: async () => undefined };
  },
});
