/**
 * Runs every package's tests through turbo, then counts them: the last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const results = () => globSync('{apps/*,packages/*,test}/dist/test-results.json', { cwd: root });

for (const file of results()) rmSync(resolve(root, file));
const turbo = resolve(root, 'node_modules/.bin/turbo');
// One package at a time: two at once would share the cores, and time out where one alone does not.
const { status } = spawnSync(turbo, ['run', 'test', '--concurrency=1', '--continue'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});

/** What is read of vitest's JSON report. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numFailedTestSuites: number;
  testResults: {
    name: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

let passed = 0;
let failed = 0;
for (const file of results()) {
  const report = JSON.parse(readFileSync(resolve(root, file), 'utf8')) as Report;
  const { numPassedTests, numFailedTests, numFailedTestSuites } = report;
  // Once more, at the end: they stand thousands of lines further up.
  for (const { name, message, assertionResults } of report.testResults) {
    if (message) console.log(`FAILED ${name}\n${message}`);
    for (const { status, fullName, failureMessages } of assertionResults) {
      if (status === 'failed') console.log(`FAILED ${name} > ${fullName}\n${failureMessages[0]}`);
    }
  }
  passed += numPassedTests;
  // A file that cannot even be loaded has no tests that could fail.
  failed += numFailedTests === 0 && numFailedTestSuites > 0 ? numFailedTestSuites : numFailedTests;
}
const ok = status === 0 && failed === 0 && passed > 0;
console.log(`${passed} passed, ${failed === 0 && !ok ? 1 : failed} failed`);
process.exitCode = ok ? 0 : 1;
