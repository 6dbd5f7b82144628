#!/usr/bin/env node
// `exec node …` for Windows' cmd.exe, where npm finds this file by its bin entry. A POSIX shell has
// an exec of its own: no shell then stays between npm and the program, and signals reach it.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const [, , program = '', ...parameters] = process.argv;
const command = program === 'node' ? process.execPath : program;
const { status } = spawnSync(command, parameters, { stdio: 'inherit' });
process.exit(status ?? 1);
