import {
  defaultCacheDir,
  escapeControls,
  onStop,
  runCommand,
  userPath,
} from '@killme/command-line';
import { IMAGE_SIZES } from '@killme/model/training';
import { Command, InvalidArgumentError, Option } from 'commander';
import { datasetName } from './dataset.ts';
import { fetchOfficial, OFFICIAL_ARCHIVE } from './fetch-official.ts';
import { writeContactSheet } from './inspect/contact-sheet.ts';
import { describeInspection } from './inspect/describe.ts';
import { findImages, inspectImages } from './inspect/inspect.ts';
import { CHARACTERS } from './stand-ins/character-recipe.ts';
import { characters } from './stand-ins/characters.ts';
import { EMOJI } from './stand-ins/emoji-recipe.ts';
import { ICON_SIZE, renderIcons } from './stand-ins/icon-recipe.ts';
import { PEEPS } from './stand-ins/peep-recipe.ts';
import { PERSONAS } from './stand-ins/persona-recipe.ts';

const log = (line: string) => console.log(line);

function hexColour(text: string): string {
  if (/^#[0-9a-f]{6}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('It must be # and six hexadecimal digits, as #ffffff.');
}

/** The images that a preset with this option is trained on. */
const imageSize = () =>
  new Option('--image-size <N>', `pixels along each side: ${IMAGE_SIZES.join(', ')}`)
    .argParser((text) => {
      const size = IMAGE_SIZES.find((allowed) => String(allowed) === text);
      if (size !== undefined) return size;
      throw new InvalidArgumentError(`It must be one of ${IMAGE_SIZES.join(', ')}.`);
    })
    .default(ICON_SIZE);

const program = new Command('npm run data --').description('Datasets of icons to train on.');

program
  .command('fetch')
  .description("get the article's own images: download, check, unpack")
  .option('--from <url>', 'the address of the archive', OFFICIAL_ARCHIVE.url)
  .option('--to <folder>', 'a new folder for the images', 'data/kill-me-baby')
  .action(async ({ from, to }: { from: string; to: string }) => {
    const count = await fetchOfficial({ from, to: userPath(to), log });
    log(`${count} images in ${userPath(to)}: train with --data ${to}`);
  });

program
  .command('characters')
  .description('render the 686 stand-in characters')
  .option('--to <folder>', `a new folder (default: the cache, ${defaultCacheDir()})`)
  .addOption(imageSize())
  .action(async ({ to, imageSize: size }: { to?: string; imageSize: number }) => {
    if (to === undefined) {
      log(`the characters are in ${(await characters({ size, log })).icons}`);
      return;
    }
    await renderIcons(CHARACTERS, userPath(to), { size, log });
    log(`the characters are in ${userPath(to)}/icons`);
  });

for (const [command, recipe, description] of [
  ['personas', PERSONAS, `${PERSONAS.count} people of five hair styles`],
  ['peeps', PEEPS, `${PEEPS.count} people of 48 kinds of hair and hats in five classes`],
  ['emoji', EMOJI, `${EMOJI.count} emoji in two classes, heads and smileys`],
] as const) {
  program
    .command(command)
    .description(`render a set to train on: ${description}`)
    .option('--to <folder>', 'a new folder', `data/${command}`)
    .addOption(imageSize())
    .action(async ({ to, imageSize: size }: { to: string; imageSize: number }) => {
      await renderIcons(recipe, userPath(to), { size, log });
      log(`${recipe.count} ${recipe.title} in ${userPath(to)}/icons: train with --data ${to}`);
    });
}

interface InspectFlags {
  imageSize: number;
  strict: boolean;
  background?: string;
  frames: 'first' | 'all';
  sheet?: string;
  json: boolean;
}

program
  .command('inspect')
  .description('what training would see, and what to mend before')
  .argument('[path]', 'folder, .zip or .rar (default: the stand-in characters)')
  .option('--strict', 'stop at a bad image instead of omitting it', false)
  .option(
    '--background <#rrggbb>',
    'the colour under transparent pixels (default: white)',
    hexColour,
  )
  .addOption(
    new Option('--frames <which>', 'of animations').choices(['first', 'all']).default('first'),
  )
  .addOption(imageSize())
  .option('--sheet <file.png>', 'write a contact sheet, a row or more for each class')
  .option('--json', 'print everything as JSON', false)
  .action(async (path: string | undefined, flags: InspectFlags) => {
    const { sheet, json, ...options } = flags;
    const from =
      path === undefined
        ? (await characters({ size: flags.imageSize, log })).icons
        : userPath(path);
    const found = await findImages(from, options);
    const name = path === undefined ? 'characters' : datasetName(from);
    const report = inspectImages({ name, imageSize: options.imageSize, ...found });
    if (json) log(JSON.stringify(report, null, 2));
    else for (const line of describeInspection(report)) log(escapeControls(line));
    if (sheet === undefined) return;
    await writeContactSheet(found.found.images, { file: userPath(sheet), size: options.imageSize });
    if (!json) log(`contact sheet: ${userPath(sheet)}`);
  });

// Only a proper exit lets half-written folders be removed.
onStop((reason) => process.exit(reason === 'SIGINT' ? 130 : 143));

await runCommand(() => program.parseAsync());
