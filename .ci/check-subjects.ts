/**
 * Refuses commits whose subject is longer than 72 characters.
 *
 *     node .ci/check-subjects.ts FILE                          # a message, for .githooks/commit-msg
 *     git log --format=%s main.. | node .ci/check-subjects.ts  # a subject a line, from standard input
 *
 * @module
 */
import { readFileSync } from 'node:fs';

/** What git and GitHub show of a subject without cutting it off. */
const MOST_CHARACTERS = 72;

/** Git writes it before the subject of a commit that is to become a part of another one. */
const AUTOSQUASH = /^(?:(?:fixup|squash|amend)! )+/;

const [file] = process.argv.slice(2);
const subjects = file
  ? [subjectOf(readFileSync(file, 'utf8'))]
  : readFileSync(0, 'utf8').split('\n');
const tooLong = subjects.filter((subject) => lengthOf(subject) > MOST_CHARACTERS);
for (const subject of tooLong) {
  console.error(
    `The subject has ${lengthOf(subject)} characters, and may have ${MOST_CHARACTERS}: ${subject}`,
  );
}
process.exitCode = tooLong.length > 0 ? 1 : 0;

/** The first line of a message that git keeps. */
function subjectOf(message: string): string {
  return message.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#')) ?? '';
}

function lengthOf(subject: string): number {
  return [...subject.trim().replace(AUTOSQUASH, '')].length;
}
