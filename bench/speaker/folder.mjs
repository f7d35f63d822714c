// The cluster as a folder of manifests, for `--config-dir`.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configuration, node, nodeStatus, service, serviceStatus, slice } from './objects.mjs'
import { now } from './sight.mjs'

/** Services in one file. */
const FILE = 100

export class Folder {
  #directory
  #drafts

  constructor(directory) {
    this.#directory = join(directory, 'config')
    this.#drafts = join(directory, 'drafts')
  }

  /** @param options `{ services, bfd }` */
  static async open(directory, { services, bfd }) {
    const folder = new Folder(directory)
    mkdirSync(folder.#directory, { recursive: true })
    mkdirSync(folder.#drafts, { recursive: true })
    folder.write('cluster', [{ ...node, status: nodeStatus }, ...configuration({ bfd })])
    for (let first = 0; first < services; first += FILE) {
      const count = Math.min(FILE, services - first)
      folder.write(`standing-${first}`, Array.from({ length: count }, (_, i) => folder.#service(first + i)).flat())
    }
    return folder
  }

  /** Flags by which a speaker takes its cluster from here. */
  get flags() {
    return [`--config-dir=${this.#directory}`]
  }

  /** Nothing: the folder is what it is. */
  async prepare() {}

  /** @returns the moment when it was there */
  async create(i) {
    return this.write(`service-${i}`, this.#service(i))
  }

  /** @returns the moment when it was so */
  async setReady(i, ready) {
    return this.write(`service-${i}`, this.#service(i, ready))
  }

  /** Takes away a Service that {@link create} made. */
  async remove(i) {
    rmSync(join(this.#directory, `service-${i}.json`), { force: true })
  }

  async close() {}

  #service(i, ready = true) {
    return [{ ...service(i), status: serviceStatus(i) }, slice(i, ready)]
  }

  /**
   * Writes a file of objects, or of this text, by rename, as editors do.
   *
   * @returns the moment when it was there
   */
  write(name, items) {
    const draft = join(this.#drafts, `${name}.json`)
    writeFileSync(draft, typeof items === 'string' ? items : JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    renameSync(draft, join(this.#directory, `${name}.json`))
    return now()
  }
}
