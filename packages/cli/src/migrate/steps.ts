/** The way from MetalLB to Typemetal, node by node. Pure. */
import { electionLevelOf, type Install } from './install.js'

/** A node's name where one is meant, but which does not matter. */
const SOME_NODE = 'NODE'

/** What to do, in order; commands are indented. */
export function migrationSteps(install: Install, nodes: readonly string[], namespace: string): readonly string[] {
  const { controller, speaker, mode, ownConfigurations } = install
  const level = electionLevelOf(speaker?.version) ?? 'main'
  const kubectl = `kubectl -n ${namespace}`
  const names = nodes.length > 0 ? nodes : [SOME_NODE]
  return [
    `Keep what there is, to go back to:\n    ${kubectl} get all,configmaps,ipaddresspools,l2advertisements,bgpadvertisements,bgppeers,bfdprofiles,communities -o yaml > metallb-before.yaml`,
    'See what would change; with the same configuration it should be nothing:\n    typemetal plan --against live metallb-before.yaml',
    `Replace the controller. One at a time may give addresses; it reads the Services' statuses and keeps every address:\n    ${kubectl} scale deployment/${controller?.name ?? 'controller'} --replicas=0\n    install Typemetal's controller in ${namespace}, with its own roles and the same ServiceAccount, webhook Service and Secrets\n    typemetal status`,
    `Install Typemetal's speakers for nodes labelled typemetal.dev/speaker=true only${level === 'main' ? '' : `, with --election-level ${level}`}${
      install.lbClass === '' ? '' : `, --lb-class ${install.lbClass}`
    }, with the Secret ${install.gossipSecret} and METALLB_ML_* of MetalLB's: both kinds are one ring and elect alike. Keep MetalLB's off these nodes:\n    ${kubectl} patch daemonset/${speaker?.name ?? 'speaker'} --type merge -p '{"spec":{"template":{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"typemetal.dev/speaker","operator":"DoesNotExist"}]}]}}}}}}}'`,
    ...names.flatMap(node => nodeStep(node, kubectl, mode, ownConfigurations)),
    ...(level === 'main'
      ? []
      : [`When the last node was moved: take --election-level off, and roll the speakers once more`]),
    `Remove what is left of MetalLB${mode === 'frr-k8s' ? ', and the frr-k8s DaemonSet if nobody else uses it' : ''}; not its CRDs, Secrets and ConfigMaps, which are ours now:\n    ${kubectl} delete daemonset/${speaker?.name ?? 'speaker'} deployment/${controller?.name ?? 'controller'}`,
  ]
}

function nodeStep(node: string, kubectl: string, mode: string, configurations: readonly string[]): readonly string[] {
  const own = configurations.find(name => name === `metallb-${node}`)
  const cleaning = mode === 'frr-k8s' ? `\n    ${kubectl} delete frrconfiguration ${own ?? `metallb-${node}`}` : ''
  return [
    `Move ${node}. Its layer-2 addresses go to other nodes and come back; its BGP sessions go down and come up:\n    typemetal drain ${node} --simulate\n    kubectl label node ${node} typemetal.dev/speaker=true${cleaning}\n    typemetal status --metrics`,
  ]
}
