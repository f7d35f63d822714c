// The controllers that are measured: how each is started, and what there is to know of its process.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LabProcess } from '@typemetal/lab'
import { freePorts } from '@typemetal/lab/kubernetes'
import { NAMESPACE } from './cluster.mjs'
import { buildMetalLB, METALLB_VERSION } from './metallb.mjs'

const MAIN = fileURLToPath(new URL('../../packages/controller/dist/main.js', import.meta.url))

/** As in the image. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size']

/** Ours. Both are without webhooks, which do no work here. */
const ours = {
  id: 'ours',
  name: 'ours',
  version: () => JSON.parse(readFileSync(new URL('../../packages/controller/package.json', import.meta.url))).version,
  find: () => (existsSync(MAIN) ? { program: MAIN } : { missing: 'npm run build comes first' }),
  argv: (program, kubeconfig, [metrics, probes]) => {
    const ports = [`--port=${metrics}`, `--health-probe-port=${probes}`]
    const where = [`--kubeconfig=${kubeconfig}`, `--namespace=${NAMESPACE}`]
    return [process.execPath, ...NODE_FLAGS, program, ...where, ...ports, '--webhook-mode=disabled']
  },
  ready: ([, probes]) => `http://127.0.0.1:${probes}/readyz`,
}

const metallb = {
  id: 'metallb',
  name: 'MetalLB',
  version: () => METALLB_VERSION,
  find: () => buildMetalLB('controller'),
  argv: (program, kubeconfig, [metrics]) => [
    program,
    `--kubeconfig=${kubeconfig}`,
    `--namespace=${NAMESPACE}`,
    `--port=${metrics}`,
    '--webhook-mode=disabled',
    '--disable-cert-rotation=true',
  ],
}

/** Everybody that can be measured, by name. */
export const KINDS = { ours, metallb }

/** A controller that runs. */
export class Daemon {
  kind
  started = performance.now()
  #process
  #ports

  constructor(kind, process, ports) {
    this.kind = kind
    this.#process = process
    this.#ports = ports
  }

  /** @param log file for what it says */
  static async start(kind, program, kubeconfig, log) {
    const ports = await freePorts(2)
    const argv = kind.argv(program, kubeconfig, ports)
    return new Daemon(kind, new LabProcess(argv, kind.name, log), ports)
  }

  get pid() {
    return this.#process.pid
  }

  /** What it said last. */
  get words() {
    return this.#process.tail(5)
  }

  /** @throws it has ended, with its last words */
  check() {
    if (!this.#process.running) throw new Error(`it has ended:${this.#process.tail(5)}`)
  }

  /** Whether it says that it does its work; `undefined` when nobody can tell from its word. */
  async isReady() {
    const url = this.kind.ready?.(this.#ports)
    if (url === undefined) return undefined
    return fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
  }

  async stop() {
    await this.#process.stop('SIGTERM', 20_000)
  }
}
