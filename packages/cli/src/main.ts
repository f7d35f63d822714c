#!/usr/bin/env node
import { explainError, requireNode } from '@typemetal/cluster/process'
import { createProgram } from './program.js'

const program = createProgram({
  write: text => process.stdout.write(text),
  exitCode: code => {
    process.exitCode = code
  },
})
try {
  requireNode()
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`typemetal: ${explainError(error)}\n`)
  process.exitCode = 1
}
