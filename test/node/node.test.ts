import { createApp, diskOptions } from '@killme/edge';
import { describeContract } from '../contract.ts';

describeContract({
  name: 'Node',
  async start({ generators, gallery }) {
    const app = createApp(diskOptions(generators, gallery));
    return { fetch: async (path, init) => app.request(path, init), stop: async () => undefined };
  },
});
