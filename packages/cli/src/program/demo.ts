import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { CommandError } from '../exit-code.js'
import type { Terminal } from '../terminal.js'
import { examples } from './options.js'

/** The laboratory, in a checkout of the repository: packages/cli/dist/program is four folders below its root. */
const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'scripts', 'demo.mjs')

const ELSEWHERE = `the demo is a laboratory of network namespaces that is not in this package: it needs Linux, iproute2, a C compiler, root or user
namespaces, and a checkout of the repository:
  git clone https://github.com/typemetal/typemetal && cd typemetal && npm run demo
What works here, without any privilege, is the same cluster on paper:
  typemetal plan EXAMPLES/demo        (the folder examples/demo of the repository)`

/** `typemetal demo`. */
export function addDemo(program: Command, terminal: Terminal): void {
  program
    .command('demo')
    .summary('run three nodes, a router and a client on this machine')
    .description(
      'Runs three nodes, a router and a client as network namespaces of this machine, and shows failover step by step. Needs a checkout of the repository, Linux, iproute2, a C compiler, and root or user namespaces.',
    )
    .argument('[option...]', 'options of the demo, after --')
    .addHelpText('after', examples('typemetal demo', 'typemetal demo -- --exit --router frr'))
    .action(async (options: string[]) => {
      if (!existsSync(SCRIPT)) throw new CommandError(ELSEWHERE)
      terminal.exitCode(await run(options))
    })
}

/** Hands our terminal to the demo. @returns its exit code */
function run(options: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [SCRIPT, ...options], { stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)))
  })
}
