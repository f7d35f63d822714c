import type { Command } from 'commander'
import { migrateCheck, migrateConvert } from '../command/migrate.js'
import { installLists, readInstall } from '../migrate/install.js'
import { fetchRaw, readRaw } from '../migrate/objects.js'
import { readCluster } from '../source/cluster.js'
import { openLive } from '../source/live.js'
import type { Terminal } from '../terminal.js'
import {
  examples,
  type OutputOptions,
  paintOf,
  refuseCluster,
  say,
  type SourceOptions,
  withCluster,
  withNamespace,
  withOutput,
} from './options.js'

/** `typemetal migrate`. */
export function addMigrate(program: Command, terminal: Terminal): void {
  const migrate = program
    .command('migrate')
    .summary('move here from MetalLB, kube-vip, Cilium or PureLB')
    .description(
      'Checks whether a MetalLB install can be replaced as it stands, and converts what others are configured by.',
    )
  addCheck(migrate, terminal)
  addConvert(migrate, terminal)
}

function addCheck(migrate: Command, terminal: Terminal): void {
  withCluster(withOutput(withNamespace(migrate.command('check'))))
    .summary('check a MetalLB install, and print the steps node by node')
    .description(
      'Looks at a MetalLB install: versions, mode, features that need FRR, FRRConfigurations, Secrets; then prints what to do, node by node. Without sources: in the live cluster. Exit code 1 when something must be dealt with first.',
    )
    .argument('[source...]', 'what kubectl get … -o yaml printed; - for standard input')
    .addHelpText(
      'after',
      examples(
        'typemetal migrate check',
        'kubectl get -A -o yaml deploy,ds,cm,secret,nodes,ipaddresspools,l2advertisements,bgpadvertisements,bgppeers > now.yaml && typemetal migrate check now.yaml',
      ),
    )
    .action(async (sources: string[], options: SourceOptions & OutputOptions) => {
      const { namespace, output } = options
      const request = { namespace, paint: paintOf(terminal) }
      if (sources.length > 0) {
        refuseCluster(sources, options)
        // Read once, looked at twice.
        const input = sources.includes('-') && terminal.readInput ? await terminal.readInput() : ''
        const objects = await readRaw(sources, async () => input)
        const cluster = await readCluster(sources, namespace, async () => input)
        return say(terminal, migrateCheck(readInstall(objects), cluster, request, output))
      }
      await using live = await openLive(options)
      const objects = await fetchRaw(live.api, installLists(namespace))
      say(terminal, migrateCheck(readInstall(objects), await live.read(), request, output))
    })
}

function addConvert(migrate: Command, terminal: Terminal): void {
  withOutput(withNamespace(migrate.command('convert')))
    .summary('convert what others are configured by to resources')
    .description(
      "Prints resources of metallb.io for MetalLB's ConfigMap of before 0.13, kube-vip (ConfigMap, DaemonSet), Cilium (CiliumLoadBalancerIPPool, CiliumL2AnnouncementPolicy, CiliumBGP…) and PureLB (ServiceGroup). What has no equal is said on standard error.",
    )
    .argument('<source...>', 'folders or files of their objects; - for standard input')
    .addHelpText(
      'after',
      examples(
        'kubectl -n metallb-system get configmap config -o yaml | typemetal migrate convert - > resources.yaml',
        'kubectl get -A -o yaml ciliumloadbalancerippools,ciliuml2announcementpolicies | typemetal migrate convert -',
      ),
    )
    .action(async (sources: string[], { namespace, output }: SourceOptions & OutputOptions) => {
      const read = terminal.readInput
      say(terminal, migrateConvert(await readRaw(sources, read), namespace, output))
    })
}
