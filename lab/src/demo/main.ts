/** `npm run demo`: runs the script of the demo, once with `--exit`, otherwise staying up afterwards. */
import { Command, Option } from 'commander'
import { messageOf } from '../errors.js'
import { enterUserNamespace, needsUserNamespace, onOuterSignal } from '../privileges.js'
import { ROUTER_KINDS } from '../router/router.js'
import { Interrupted, runDemo, type DemoOptions } from './run.js'

const HELP = `Runs Typemetal's speakers and controller with a router and a client in network namespaces of this machine and shows
what they do. Without --exit it stays up afterwards and prints what to try. Needs iproute2, and root or user namespaces.`

function parseOptions(): DemoOptions {
  return new Command('npm run demo --')
    .description(HELP)
    .option('--exit', 'run the script once and leave; the last line is a JSON object', false)
    .addOption(new Option('--router <kind>', 'who routes').choices(ROUTER_KINDS).default('embedded'))
    .option('--capture <dir>', 'write arp.pcap, ndp.pcap, bgp.pcap and gossip.pcap there')
    .option('--keep', 'leave the folder with manifests, statuses and logs in place', false)
    .parse()
    .opts<DemoOptions>()
}

/** One abort for whatever tells us to stop: Ctrl-C, a signal, the end of the process that started us. */
function stopOnSignals(): AbortController {
  const stopping = new AbortController()
  const stop = (signal: NodeJS.Signals): void => stopping.abort(new Interrupted(signal))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  onOuterSignal(stop)
  return stopping
}

async function main(): Promise<void> {
  const options = parseOptions()
  if (needsUserNamespace()) {
    process.exitCode = await enterUserNamespace([process.execPath, ...process.argv.slice(1)])
    return
  }
  const result = await runDemo(options, stopOnSignals())
  if (result.error !== undefined) console.error(`typemetal: ${result.error}`)
  if (!result.ok) process.exitCode ||= 1
  if (options.exit) console.log(JSON.stringify(result))
}

try {
  await main()
} catch (error) {
  console.error(`typemetal: ${messageOf(error)}`)
  process.exitCode = 1
}
