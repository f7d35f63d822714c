// `npm run image`: the images, as an OCI layout, without a daemon and without a base image. `--rootfs DIR` only puts the files of one
// image into a folder, for the Dockerfile; `--out DIR`: where to write; `--variant nonroot`, with --rootfs: node with its capability;
// `--image NAME`, repeatable: not all of them.
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundle, programs } from './image/bundle.mjs'
import { Layout } from './image/layout.mjs'
import { billOfMaterials } from './image/sbom.mjs'
import { output, writeNode, writeSystem } from './image/system.mjs'
import { fail, root } from './prepare.mjs'

const USAGE = 'usage: npm run image -- [--out DIR] [--image NAME]… [--rootfs DIR [--variant nonroot]]'
const HOME = join('usr', 'lib', 'typemetal')
const DOCUMENTS = join('usr', 'share', 'doc', 'typemetal')

/** Image → its program and who runs it; `capability`: node may use raw sockets whoever runs it. */
const IMAGES = {
  controller: { program: 'controller', user: '65534:65534', capability: false },
  speaker: { program: 'speaker', user: '0:0', capability: false },
  'speaker-nonroot': { program: 'speaker', user: '1000:1000', capability: true },
}

const { out, rootfs, variant, image: wanted } = readOptions()
/** Whether node is wanted without its capability, and with it. */
const kinds = new Set(rootfs === undefined ? wanted.map(name => IMAGES[name].capability) : [variant === 'nonroot'])
const { version, repository, license } = JSON.parse(
  readFileSync(join(root, 'packages', 'speaker', 'package.json'), 'utf8'),
)
const created = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? git('log', '-1', '--format=%ct')) * 1000).toISOString()
const work = mkdtempSync(join(tmpdir(), 'typemetal-image-'))
try {
  const layers = await assemble(work)
  if (rootfs === undefined) pack(layers)
  else
    for (const name of ['system', variant === 'nonroot' ? 'node-nonroot' : 'node', 'app'])
      copyTree(layers[name], rootfs)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function readOptions() {
  try {
    const options = {
      out: { type: 'string', default: join(root, 'build', 'image') },
      rootfs: { type: 'string' },
      variant: { type: 'string', default: '' },
      image: { type: 'string', multiple: true, default: Object.keys(IMAGES) },
    }
    const { values } = parseArgs({ options })
    const unknown = values.image.find(name => !(name in IMAGES))
    if (unknown !== undefined) return fail(`there is no image ${unknown}; ${USAGE}`)
    if (!['', 'nonroot'].includes(values.variant)) return fail(`the only variant is nonroot; ${USAGE}`)
    return values
  } catch (error) {
    return fail(`${error.message}; ${USAGE}`)
  }
}

/** Of the checkout; in a build from an archive, where there is no history, the environment says it. */
function git(...args) {
  return output('git', '-C', root, ...args).trim()
}

/** Makes the folder of each layer. */
async function assemble(folder) {
  const layers = Object.fromEntries(['system', 'node', 'node-nonroot', 'app'].map(name => [name, join(folder, name)]))
  for (const path of Object.values(layers)) mkdirSync(path)
  const packages = await bundle(join(layers.app, HOME))
  for (const name of programs) symlinkSync(join('/', HOME, 'dist', 'node', `${name}.js`), join(layers.app, name))
  const addon = join(layers.app, HOME, 'build', 'Release', 'sockets.node')
  const libraries = writeSystem(layers.system, [process.execPath, addon])
  if (kinds.has(false)) writeNode(layers.node, false)
  if (kinds.has(true)) writeNode(layers['node-nonroot'], true)
  mkdirSync(join(layers.app, DOCUMENTS), { recursive: true })
  const sbom = billOfMaterials({ packages, libraries, version, created })
  writeFileSync(join(layers.app, DOCUMENTS, 'sbom.cdx.json'), sbom)
  cpSync(join(root, 'LICENSE'), join(layers.app, DOCUMENTS, 'LICENSE'))
  for (const path of Object.values(layers)) settle(path)
  return layers
}

/** Modes that do not depend on the umask of who builds. */
function settle(folder) {
  chmodSync(folder, 0o755)
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) continue
    if (!stat.isDirectory()) chmodSync(path, stat.mode & 0o111 ? 0o755 : 0o644)
    else if (stat.mode & 0o1000) chmodSync(path, 0o1777)
    else settle(path)
  }
}

/** With capabilities of files, which Node's own copying leaves behind. */
function copyTree(from, to) {
  mkdirSync(to, { recursive: true })
  output('cp', '--archive', `${from}/.`, to)
}

function pack(folders) {
  const revision = process.env.TYPEMETAL_REVISION ?? git('rev-parse', 'HEAD')
  const layout = new Layout(out, created)
  const used = Object.entries(folders).filter(
    ([name]) => !name.startsWith('node') || kinds.has(name === 'node-nonroot'),
  )
  const made = Object.fromEntries(used.map(([name, folder]) => [name, layout.layer(folder, name)]))
  for (const [name, { program, user, capability }] of Object.entries(IMAGES)) {
    if (!wanted.includes(name)) continue
    const annotations = labels(program, revision)
    const { digest, compressed } = layout.image(name, {
      layers: [made.system, capability ? made['node-nonroot'] : made.node, made.app],
      config: {
        User: user,
        // One arena: what threads give back is there for the others. Not heeded where node has a file capability.
        Env: ['PATH=/:/usr/bin', 'NODE_ENV=production', 'MALLOC_ARENA_MAX=1'],
        Entrypoint: [`/${program}`],
        WorkingDir: '/',
        Labels: annotations,
        StopSignal: 'SIGTERM',
      },
      annotations,
    })
    console.log(`${name.padEnd(16)} ${digest} ${(compressed / 1e6).toFixed(1)} MB`)
  }
  layout.finish()
  const sbom = `${out}.cdx.json`
  mkdirSync(dirname(sbom), { recursive: true })
  cpSync(join(folders.app, DOCUMENTS, 'sbom.cdx.json'), sbom)
  console.log(`OCI layout in ${out}, bill of materials in ${sbom}`)
}

function labels(program, revision) {
  const source = repository.url.replace(/^git\+|\.git$/g, '')
  const of = {
    title: `typemetal-${program}`,
    description: `Typemetal: the ${program} of LoadBalancer Services for bare-metal Kubernetes`,
    version,
    revision,
    created,
    source,
    documentation: `${source}#readme`,
    licenses: license,
    vendor: 'Typemetal',
  }
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [`org.opencontainers.image.${key}`, value]))
}
