// CycloneDX: what an image is made of. From what the bundler has used and the linker loads, not from what was installed.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../prepare.mjs'

/**
 * @param packages folders of npm packages
 * @param libraries files of shared libraries
 * @param created time of the image, ISO 8601
 * @returns a CycloneDX 1.5 document; the same parts give the same text
 */
export function billOfMaterials({ packages, libraries, version, created }) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const components = [
    ...packages.map(folder => npmComponent(folder, lock.packages[folder]?.integrity)),
    nodeComponent(),
    ...libraryComponents(libraries),
  ].toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
  const purl = `pkg:generic/typemetal@${version}`
  const component = { 'bom-ref': purl, type: 'container', name: 'typemetal', version, licenses: licence('Apache-2.0') }
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { timestamp: created, component },
    components,
    dependencies: [{ ref: purl, dependsOn: components.map(each => each['bom-ref']) }],
  }
  const { bomFormat, ...rest } = document
  return `${JSON.stringify({ bomFormat, serialNumber: serialNumber(document), ...rest }, undefined, 2)}\n`
}

function npmComponent(folder, integrity) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const [, algorithm, base64] = /^(sha512)-(\S+)$/.exec(integrity ?? '') ?? []
  return {
    'bom-ref': purl,
    type: 'library',
    name,
    version,
    purl,
    ...(typeof license === 'string' && { licenses: licence(license) }),
    ...(algorithm && { hashes: [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }] }),
  }
}

function nodeComponent() {
  const version = process.versions.node
  const purl = `pkg:generic/node@${version}`
  const content = createHash('sha256').update(readFileSync(process.execPath)).digest('hex')
  const hashes = [{ alg: 'SHA-256', content }]
  return { 'bom-ref': purl, type: 'application', name: 'node', version, purl, licenses: licence('MIT'), hashes }
}

/** By Debian's packages where this is Debian, else by file. */
function libraryComponents(files) {
  const found = new Map()
  for (const file of files) {
    const component = debianComponent(file) ?? { type: 'file', name: file }
    const ref = component.purl ?? file
    found.set(ref, { 'bom-ref': ref, ...component })
  }
  return [...found.values()]
}

function debianComponent(file) {
  const run = (...argv) => spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' }).stdout ?? ''
  // dpkg knows a file by the path it was installed under, which may be before or behind the link from /lib to /usr/lib.
  const owner = [file, realpathSync(file)].flatMap(path => run('dpkg-query', '-S', path).split('\n'))
  const [, name] = /^([^:\s]+)(?::\S+)?: /.exec(owner.find(line => line !== '') ?? '') ?? []
  if (name === undefined) return undefined
  const [version = '', architecture = ''] = run('dpkg-query', '-W', '-f', '${Version} ${Architecture}\n', name)
    .split('\n')[0]
    .split(' ')
  const purl = `pkg:deb/debian/${name.replaceAll('+', '%2B')}@${encodeURIComponent(version)}?arch=${architecture}`
  return { type: 'library', name, version, purl }
}

/** SPDX identifiers have no spaces; expressions of several have. */
const licence = text => (/\s/.test(text) ? [{ expression: text }] : [{ license: { id: text } }])

/** A UUID that is made of what it stands for. */
function serialNumber(document) {
  const hex = createHash('sha256').update(JSON.stringify(document)).digest('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)]
  return `urn:uuid:${parts.join('-')}`
}
