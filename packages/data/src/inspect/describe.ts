import type { Inspection } from './inspect.ts';

const MAX_LISTED = 5;

/** An inspection in lines for a terminal. */
export function describeInspection(found: Inspection): string[] {
  const { name, count, imageSize, classes, formats, shorterSide, omitted } = found;
  const size = `${imageSize} × ${imageSize}`;
  const kinds = Object.entries(formats).map(([format, files]) => `${format} ${files}`);
  return [
    `${name}: ${count} images of ${size} pixels, classes: ${classes.length}`,
    ...classes.map((one) => `  ${one.name}: ${one.count}`),
    `formats: ${kinds.join(', ')}`,
    `shorter side: ${shorterSide.smallest} to ${shorterSide.largest} pixels, median ${shorterSide.median}`,
    ...listing(
      'not square, part cut off at the sides',
      found.cropped.map(({ file, share }) => `${file} (${percent(share)})`),
    ),
    ...listing(
      `smaller than ${size}, scaled up`,
      found.tiny.map(({ file, width, height }) => `${file} (${width} × ${height})`),
    ),
    ...listing(
      'animated',
      found.animated.map(({ file, frames }) => `${file} (${frames} frames)`),
    ),
    ...countLine('with transparency', found.transparent.length, count),
    ...listing('hidden by the background, all of one colour', found.hiddenByBackground),
    ...listing('of one colour', found.oneColour),
    ...listing(
      'groups that look alike',
      found.nearDuplicates.map((group) => group.slice(0, MAX_LISTED).join(' = ')),
    ),
    `omitted: ${omitted.length}`,
    ...omitted.map(({ file, reason }) => `  ${file}: ${reason}`),
    `fingerprint: ${found.fingerprint}`,
    'training:',
    ...found.training.map((line) => `  ${line}`),
  ];
}

/** Nothing when there are none. */
function listing(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const rest = items.length - MAX_LISTED;
  return [
    `${title}: ${items.length}`,
    ...items.slice(0, MAX_LISTED).map((item) => `  ${item}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

const countLine = (title: string, part: number, whole: number) =>
  part === 0 ? [] : [`${title}: ${part} (${percent(part / whole)})`];

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
