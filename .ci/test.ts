/**
 * Runs every package's tests through turbo, then counts them: the last line is `N passed, N failed`.
 *
 *     node .ci/test.ts [TASK]    # `test` (all of them) or `test:unit`
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { endLeftovers } from './leftovers.ts';

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

const ROOT = resolve(import.meta.dirname, '..');
/** Marks all processes of this run; turbo.json passes it on. */
const VARIABLE = 'KILLME_TEST_RUN';

for (const file of reportFiles()) rmSync(file);
const status = await runTurbo(process.argv[2] ?? 'test');
const { passed, failed } = countTests();
const ok = status === 0 && failed === 0 && passed > 0;
console.log(`${passed} passed, ${failed === 0 && !ok ? 1 : failed} failed`);
process.exitCode = ok ? 0 : 1;

function reportFiles(): string[] {
  const files = globSync('{apps/*,packages/*,test}/dist/test-results.json', { cwd: ROOT });
  return files.map((file) => resolve(ROOT, file));
}

/** @returns turbo's exit status; nothing that it started is left. */
async function runTurbo(task: string): Promise<number | null> {
  const mark = randomUUID();
  // One package at a time: two at once would share the cores, and time out where one alone does not.
  const args = ['run', task, '--concurrency=1', '--continue'];
  const turbo = spawn(resolve(ROOT, 'node_modules/.bin/turbo'), args, {
    cwd: ROOT,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, [VARIABLE]: mark },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => turbo.kill(signal));
  }
  const [code] = (await once(turbo, 'close')) as [number | null];
  for (const { pid, command } of endLeftovers(VARIABLE, mark)) {
    console.log(`process ${pid} was left behind and ended: ${command}`);
  }
  return code;
}

/** Sums up all reports, and prints each failure again: it stands thousands of lines further up. */
function countTests(): { passed: number; failed: number } {
  let passed = 0;
  let failed = 0;
  for (const file of reportFiles()) {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const { numPassedTests, numFailedTests, numFailedTestSuites } = report;
    for (const { name, message, assertionResults } of report.testResults) {
      if (message) console.log(`FAILED ${name}\n${message}`);
      for (const { status, fullName, failureMessages } of assertionResults) {
        if (status === 'failed') console.log(`FAILED ${name} > ${fullName}\n${failureMessages[0]}`);
      }
    }
    passed += numPassedTests;
    // A file that cannot even be loaded has no tests that could fail.
    failed +=
      numFailedTests === 0 && numFailedTestSuites > 0 ? numFailedTestSuites : numFailedTests;
  }
  return { passed, failed };
}
