/**
 * `<KillmeImage>`: the picture of a seed in React.
 *
 * @module
 */
import { createElement, type ImgHTMLAttributes, type ReactElement } from 'react';
import { createClient, type ImageOptions, isGalleryPin } from './index.ts';

export interface KillmeImageProps
  extends Omit<ImgHTMLAttributes<HTMLImageElement>, 'src' | 'srcSet' | 'width' | 'height'> {
  /** Where the server is. */
  base: string | URL;
  /** Of a generator, from the server's `/model`: the same picture for ever. */
  pin?: string;
  seed: string;
  /** Pixels of each side, on the screen and of the file; those of a gallery have their own. */
  size?: number;
  /** Options of the address beside the size. */
  options?: Omit<ImageOptions, 'size'>;
}

/**
 * @example
 * <KillmeImage base="https://killme.example.workers.dev" seed={user.id} size={96} alt={user.name} />
 */
export function KillmeImage({
  base,
  pin,
  seed,
  size = 128,
  options,
  alt = '',
  loading = 'lazy',
  ...rest
}: KillmeImageProps): ReactElement {
  const fileSize = isGalleryPin(pin) ? {} : { size };
  const src = createClient(base, { pin }).img(seed, { ...options, ...fileSize });
  return createElement('img', { ...rest, src, alt, loading, width: size, height: size });
}
