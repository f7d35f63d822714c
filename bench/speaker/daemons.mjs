// The speakers that are measured, and how each is started.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildMetalLB, METALLB_VERSION } from '../controller/metallb.mjs'
import { NAMESPACE, NODE, POD } from './objects.mjs'

const MAIN = fileURLToPath(new URL('../../packages/speaker/dist/main.js', import.meta.url))
const PORTS = { metrics: 7472, probes: 17472 }
/** As in the image: see the README of @typemetal/speaker. */
export const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size']

const ours = {
  id: 'ours',
  name: 'ours',
  stores: ['folder', 'api'],
  version: () => JSON.parse(readFileSync(new URL('../../packages/speaker/package.json', import.meta.url))).version,
  find: () => (existsSync(MAIN) ? { program: MAIN } : { missing: 'npm run build comes first' }),
  argv: (program, flags, nodeFlags = NODE_FLAGS) => [
    process.execPath,
    ...nodeFlags,
    program,
    ...flags,
    `--namespace=${NAMESPACE}`,
    `--node-name=${NODE}`,
    `--port=${PORTS.metrics}`,
    `--health-probe-port=${PORTS.probes}`,
    '--log-level=warn',
  ],
  env: { MALLOC_ARENA_MAX: '1' },
}

/** In its native BGP mode; FRR's would need FRR, and waits for three seconds by design. */
const metallb = {
  id: 'metallb',
  name: 'MetalLB',
  stores: ['api'],
  version: () => METALLB_VERSION,
  find: () => buildMetalLB('speaker'),
  argv: (program, flags) => [
    program,
    ...flags,
    `--namespace=${NAMESPACE}`,
    `--node-name=${NODE}`,
    `--port=${PORTS.metrics}`,
    '--log-level=warn',
  ],
  env: { METALLB_BGP_TYPE: 'native', METALLB_NODE_NAME: NODE, METALLB_POD_NAME: POD },
}

/** Everybody that can be measured, by name. */
export const KINDS = { ours, metallb }
