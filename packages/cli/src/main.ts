#!/usr/bin/env node
import { basename } from 'node:path'
import { explainError, requireNode } from '@typemetal/cluster/process'
import { runProgram } from './program.js'
import { processTerminal } from './terminal.js'

// As a plugin it is called by kubectl, under the name that kubectl looks for.
const asPlugin = basename(process.argv[1] ?? '').startsWith('kubectl-')
const name = asPlugin ? 'kubectl typemetal' : 'typemetal'
try {
  requireNode()
  await runProgram(process.argv.slice(2), processTerminal(), name)
} catch (error) {
  process.stderr.write(`${name}: ${explainError(error)}\n`)
  process.exitCode = 1
}
