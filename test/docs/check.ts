/**
 * Lists the commands and links of the Markdown files that fail, and the commands that were not checked.
 *
 *     npm run check:docs
 *
 * @module
 */
import { checkCommands } from './check-commands.ts';
import { checkLinks } from './check-links.ts';
import { readDocuments } from './repository.ts';

const documents = readDocuments();
const broken = checkLinks(documents);
const commands = await checkCommands(documents);
const having = (result: string) => commands.filter((command) => command.result === result);

for (const { place, command, reason } of having('not checked')) {
  console.log(`not checked: ${place}: ${command} (${reason})`);
}
for (const { place, command, reason } of having('failed')) {
  console.log(`FAILED: ${place}: ${command}: ${reason}`);
}
for (const text of broken) console.log(`FAILED: ${text}`);
console.log(
  `${documents.size} files: ${having('ok').length} commands are right, ${having('failed').length} ` +
    `wrong, ${having('not checked').length} were not checked; ${broken.length} links lead nowhere`,
);
process.exitCode = having('failed').length + broken.length > 0 ? 1 : 0;
