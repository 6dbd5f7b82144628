#!/usr/bin/env node
// `exec node …` for Windows' cmd.exe, where npm finds this file by its bin entry. A POSIX shell has
// an exec of its own: no shell then stays between npm and the program, and signals reach it.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

// Ctrl-C reaches every process of the console. The program ends when it is ready to; this one after it.
process.on('SIGINT', () => {});

const [, , program = '', ...parameters] = process.argv;
const command = program === 'node' ? process.execPath : program;
const { status, error } = spawnSync(command, parameters, { stdio: 'inherit' });
if (error) console.error(`${program} cannot be started: ${error.message}`);
process.exit(status ?? 1);
