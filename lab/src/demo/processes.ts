/** The programs of the demo: one controller, and on every node a speaker and a backend. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LabError } from '../errors.js'
import { how, type LabProcess } from '../lab-process.js'
import type { DemoNetwork, DemoNode } from './network.js'
import { programOf } from './programs.js'

const BACKEND = fileURLToPath(new URL('backend-main.js', import.meta.url))
/** Namespace of the `metallb.io` resources in the manifests. */
const NAMESPACE = 'metallb-system'
/** Where a speaker serves its metrics. */
export const METRICS_PORT = 7472

/** What the programs are told. */
export interface ProcessesOptions {
  readonly network: DemoNetwork
  /** The folder of manifests. */
  readonly configDirectory: string
  /** Folder with the file `secretkey`, from which the gossip key is made. */
  readonly secretDirectory: string
  /** A program ended that nobody had stopped. */
  onFailure(error: LabError): void
}

/** Starts, kills and restarts the programs. */
export class DemoProcesses {
  readonly #options: ProcessesOptions
  readonly #speakers = new Map<string, LabProcess>()
  #controller: LabProcess | undefined
  /** Those whose end is no failure. */
  readonly #condemned = new Set<LabProcess>()

  constructor(options: ProcessesOptions) {
    this.#options = options
  }

  /** Starts the controller. */
  startController(): LabProcess {
    const { network, configDirectory } = this.#options
    const flags = ['--namespace', NAMESPACE, '--config-dir', configDirectory]
    const program = programOf('@typemetal/controller', 'typemetal-controller')
    const controller = network.controller.spawn([process.execPath, program, ...flags], { name: 'controller' })
    this.#controller = this.#watch(controller)
    return controller
  }

  /** Starts a node: first what serves, then what announces. Resolves when the backend is ready. */
  async startNode({ name, host, address }: DemoNode): Promise<void> {
    const { configDirectory, secretDirectory } = this.#options
    const backend = this.#watch(host.spawn([process.execPath, BACKEND, name, configDirectory], { name: 'backend' }))
    await backend.waitForLine(line => line === `${name} is ready`)
    const program = programOf('@typemetal/speaker', 'typemetal-speaker')
    const flags = [
      '--namespace',
      NAMESPACE,
      '--config-dir',
      configDirectory,
      '--node-name',
      name,
      '--port',
      `${METRICS_PORT}`,
    ]
    const gossip = ['--ml-bindaddr', address, '--ml-secret-key-path', secretDirectory]
    const speaker = host.spawn([process.execPath, program, ...flags, ...gossip], { name: 'speaker' })
    this.#speakers.set(name, this.#watch(speaker))
  }

  /** SIGKILL for everything on a node. @returns when that was, on the monotonic clock, once nothing runs there any more */
  async killNode({ name, host }: DemoNode): Promise<void> {
    for (const process of host.processes) this.#condemned.add(process)
    this.#speakers.delete(name)
    await host.kill()
  }

  /** The running speaker of a node. */
  speaker(node: string): LabProcess {
    const speaker = this.#speakers.get(node)
    if (speaker === undefined) throw new RangeError(`no speaker runs on ${node}`)
    return speaker
  }

  /** Resident memory in MB: the largest of the speakers, and the controller. */
  residentMemory(): { speaker: number; controller: number } {
    return {
      speaker: Math.max(...[...this.#speakers.values()].map(residentMB)),
      controller: this.#controller ? residentMB(this.#controller) : 0,
    }
  }

  #watch(process: LabProcess): LabProcess {
    void this.#reportEnd(process)
    return process
  }

  async #reportEnd(process: LabProcess): Promise<void> {
    const exit = await process.exited
    if (this.#condemned.has(process)) return
    this.#options.onFailure(new LabError('ERR_LAB_PROCESS', `${process.name} ${how(exit)}${process.tail()}`))
  }

  /** From now on the end of any program is expected. */
  expectTheEnd(): void {
    const { network } = this.#options
    for (const host of [network.controller, ...network.nodes.map(node => node.host)]) {
      for (const process of host.processes) this.#condemned.add(process)
    }
  }
}

/** VmRSS in MB (2^20 octets), one decimal. */
function residentMB({ pid }: LabProcess): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kB) / 102.4) / 10
}
