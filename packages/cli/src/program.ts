/** The command line of `typemetal`. */
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { ELECTION_LEVELS } from '@typemetal/speaker'
import type { ElectionLevel } from '@typemetal/speaker'
import { readCluster } from './cluster.js'
import { explain } from './command/explain.js'
import { plan } from './command/plan.js'
import { validate } from './command/validate.js'
import type { Answer } from './command/validate.js'
import { FORMATS } from './output.js'
import type { Format } from './output.js'

/** Where a {@link createProgram} prints to, and how it says its exit code. */
export interface Terminal {
  write(text: string): void
  exitCode(code: number): void
}

interface Common {
  readonly namespace: string
  readonly output: Format
  readonly member: readonly string[]
  readonly node: readonly string[]
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  readonly electionLevel: ElectionLevel
}

/** Version of this package. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** Makes the whole command; nothing runs before `parseAsync`. */
export function createProgram(terminal: Terminal): Command {
  const answer = ({ text, code }: Answer): void => {
    terminal.write(text)
    terminal.exitCode(code)
  }
  const program = new Command('typemetal')
    .description('Checks and explains what Typemetal makes of a cluster.')
    .version(version)
    .showHelpAfterError()
  common(program.command('validate'))
    .description('say everything that is wrong with the configuration; exit code 1 if anything is')
    .argument('<dir...>', 'folders of manifests')
    .addHelpText('after', '\nExample:\n  typemetal validate deploy/cluster')
    .action(async (directories: string[], options: Common) =>
      answer(validate(await readCluster(directories, options.namespace), options.output)),
    )
  decisions(common(program.command('plan')))
    .description('say which node would announce what, and why not the rest')
    .argument('<dir...>', 'folders of manifests')
    .option('--node <name>', 'only this node; repeatable', append, [])
    .addHelpText('after', '\nExample:\n  typemetal plan deploy/cluster --node node-1 --output json')
    .action(async (directories: string[], options: Common) => {
      const cluster = await readCluster(directories, options.namespace)
      answer(plan(cluster, { ...options, nodes: options.node, members: options.member }, options.output))
    })
  decisions(namespaced(program.command('explain')))
    .description('follow one Service from its pool to the wire')
    .argument('<service>', 'service/NAME, service/NAMESPACE/NAME or NAMESPACE/NAME')
    .argument('<dir...>', 'folders of manifests')
    .addHelpText('after', '\nExample:\n  typemetal explain service/web deploy/cluster')
    .action(async (service: string, directories: string[], options: Common) => {
      const cluster = await readCluster(directories, options.namespace)
      answer(explain(cluster, serviceKey(service), { ...options, members: options.member }))
    })
  return program
}

const append = (value: string, previous: readonly string[]): string[] => [...previous, value]

const namespaced = (command: Command): Command =>
  command.option('--namespace <name>', 'namespace of the metallb.io resources', 'metallb-system')

const common = (command: Command): Command =>
  namespaced(command).addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('table'))

const decisions = (command: Command): Command =>
  command
    .option('--member <name>', 'a live gossip member; repeatable; default: every Node', append, [])
    .option('--lb-class <class>', 'as the speakers have it', '')
    .option('--ignore-exclude-lb', 'as the speakers have it', false)
    .addOption(
      new Option('--election-level <level>', 'as the speakers have it').choices(ELECTION_LEVELS).default('main'),
    )

/** `service/web`, `service/shop/web`, `shop/web` and `web` all name a Service. */
function serviceKey(text: string): string {
  const parts = text.replace(/^(?:services?|svc)\//, '').split('/')
  return parts.length === 1 ? `default/${parts[0]}` : parts.join('/')
}
