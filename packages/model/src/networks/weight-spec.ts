/** What one weight tensor of a layer looks like and how it starts. */
export interface WeightSpec {
  /** The Keras name inside the layer, e.g. `kernel`. */
  name: string;
  shape: readonly number[];
  trainable: boolean;
  initializer: 'glorotUniform' | 'unitUniform' | 'zeros' | 'ones' | 'identity';
}
