export function registerTensorflowKernels(): void {}
