/** `npm run churn:memberlist`: a mixed ring through whose nodes something goes every few seconds. */
import { Command, InvalidArgumentError } from 'commander'
import { LabError, messageOf } from '../errors.js'
import { nftablesInstalled } from '../packet-filter.js'
import { enterUserNamespace, needsUserNamespace, onOuterSignal } from '../privileges.js'
import { type ChurnOptions, runChurn } from './churn/run.js'
import { goPeer } from './go-peer.js'

const HELP = `Kills, restarts, stops and starts the nodes of a ring that is half hashicorp/memberlist and half ours, lets them
leave, join, change and talk, cuts the network in two, and sees each time that all running nodes agree and that none could not
read what another sent. Needs iproute2, nftables and Go, and root or user namespaces. Ends with code 1 if anything went wrong.`

/** As a shell reports them: 128 + signal number. */
const EXIT_CODES: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

const numberIn =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`wants a number from ${min} to ${max}.`)
    return value
  }

function parseOptions(): ChurnOptions {
  return new Command('npm run churn:memberlist --')
    .description(HELP.replaceAll('\n', ' '))
    .option('--minutes <number>', 'how long', numberIn(0.1, 10_000), 30)
    .option('--nodes <number>', 'places in the ring', numberIn(4, 200), 12)
    .option('--encrypted', 'with keys, which rotate', false)
    .option('--label <label>', 'of the ring')
    .option('--loss <percent>', 'of all packets', numberIn(0, 50), 0)
    .option('--seed <number>', 'for the same events again', numberIn(0, 2 ** 32 - 1), Math.floor(Math.random() * 1e9))
    .parse()
    .opts<ChurnOptions>()
}

/** @throws {LabError} ERR_LAB_MISSING_PACKAGE, and says what is missing */
async function requirePrograms(): Promise<void> {
  const peer = await goPeer()
  if ('missing' in peer)
    throw new LabError('ERR_LAB_MISSING_PACKAGE', `half of the ring is hashicorp/memberlist, which ${peer.missing}`)
  if (!nftablesInstalled())
    throw new LabError('ERR_LAB_MISSING_PACKAGE', 'the nft command is missing: install the package nftables')
}

async function main(): Promise<void> {
  const options = parseOptions()
  await requirePrograms()
  if (needsUserNamespace()) {
    process.exitCode = await enterUserNamespace([process.execPath, ...process.argv.slice(1)])
    return
  }
  const stopping = new AbortController()
  const stop = (signal: NodeJS.Signals): void => {
    process.exitCode = EXIT_CODES[signal] ?? 1
    stopping.abort(new Error(`interrupted by ${signal}`))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  onOuterSignal(stop)
  const good = await runChurn(options, line => console.log(line), stopping.signal)
  if (!good) process.exitCode ||= 1
}

try {
  await main()
} catch (error) {
  console.error(`typemetal: ${messageOf(error)}`)
  process.exitCode = 1
}
