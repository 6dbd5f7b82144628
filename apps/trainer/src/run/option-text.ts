/**
 * Options as the command line and the docs write them.
 *
 * @module
 */
import { PRESET_NAMES, presetByName } from '@killme/model/training';
import { OPTIONS, type OptionName } from './option-table.ts';

/** `saveEvery` → `save-every`, as flags are written. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The default of an option in words, one for each preset where they differ: `32, lite: 16`. */
export function describeDefault(name: OptionName): string {
  const { defaultText, default: defaultOf } = OPTIONS[name];
  if (defaultText !== undefined) return defaultText;
  const [article, lite] = PRESET_NAMES.map((preset) => {
    const value = defaultOf(presetByName(preset));
    return value === undefined ? undefined : flagValue(value);
  });
  return article === undefined || article === lite ? `${lite}` : `${article}, lite: ${lite}`;
}

/** A value as it is written after its flag. */
export function flagValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.join(',') || 'none';
  return String(value ?? 'none');
}
