#!/usr/bin/env node
// Runs the binary of the package for this platform, as if it had been run itself: streams, signals and exit code are passed on.
'use strict';
const { spawn } = require('node:child_process');
const { constants } = require('node:os');

const name = `${require('./package.json').name}-${process.platform}-${process.arch}`;
let binary;
try {
  binary = require.resolve(`${name}/provision`);
} catch {
  console.error(`error: the package ${name} is not installed`);
  console.error('  hint: install without --omit=optional; if there is no such package, provision is not built for this platform');
  process.exit(1);
}
const child = spawn(binary, process.argv.slice(2), { stdio: 'inherit' });
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
// A terminal sends SIGINT to the child itself.
for (const signal of signals) {
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
}
child.on('error', (error) => {
  console.error(`error: running ${binary}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
