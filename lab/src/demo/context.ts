/** What every step of the demo works with. */
import { LabError } from '../errors.js'
import type { Router } from '../router/router.js'
import { until, type WaitOptions } from '../wait.js'
import type { Client } from './client.js'
import type { ClusterView } from './cluster-view.js'
import type { ConfigFolder } from './config-folder.js'
import type { DemoNetwork, DemoNode } from './network.js'
import type { DemoProcesses } from './processes.js'
import type { Report } from './report.js'
import type { DemoResult } from './result.js'

/** The running demo. */
export interface Demo {
  readonly network: DemoNetwork
  readonly processes: DemoProcesses
  readonly folder: ConfigFolder
  readonly view: ClusterView
  readonly client: Client
  readonly router: Router
  readonly report: Report
  /** Filled in step by step. */
  readonly result: DemoResult
  /** Aborts when the user interrupts or a program fails; waiting ends at once then. */
  readonly signal: AbortSignal
}

/** As {@link until}, ending when the demo ends. */
export function wait<T>(
  demo: Demo,
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions = {},
): Promise<T> {
  return until(what, look, { timeout: 20_000, ...options, signal: demo.signal })
}

/** @throws {LabError} ERR_LAB_CHECK when something the demo promises does not hold */
export function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new LabError('ERR_LAB_CHECK', otherwise)
}

/** The node of this name. */
export function nodeNamed(demo: Demo, name: string): DemoNode {
  const node = demo.network.nodes.find(node => node.name === name)
  if (node === undefined) throw new RangeError(`no node ${name}`)
  return node
}

/** URL of a Service address. */
export const urlOf = (address: string): string => `http://${address.includes(':') ? `[${address}]` : address}/`

/** Prefix under which an address is announced by BGP. */
export const prefixOf = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`

/** Name of the node that answers an HTTP request. */
export async function servedBy(demo: Demo, address: string): Promise<string> {
  return (await demo.client.get(urlOf(address))).split(' ')[0] ?? ''
}
