// An OCI image layout (image-spec 1.1): layers by GNU tar and gzip, which make the same octets of the same files.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from './system.mjs'

const TYPE = 'application/vnd.oci.image'
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }
const digestOf = octets => `sha256:${createHash('sha256').update(octets).digest('hex')}`

/** A folder with the blobs of images; `finish` makes it a layout. */
export class Layout {
  #folder
  #images = []

  /** @param created time of everything inside, ISO 8601 */
  constructor(folder, created) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true })
    this.#folder = folder
    this.created = created
  }

  /** Packs a folder into a layer. @returns how manifests and configurations name it */
  layer(folder, title) {
    const tar = join(this.#folder, 'layer.tar')
    output('tar', ...TAR, `--mtime=${this.created}`, '--file', tar, '--directory', folder, '.')
    const diffId = digestOf(readFileSync(tar))
    // More effort than the usual gains a hundredth, and takes twice the time.
    output('gzip', '-6', '--no-name', '--force', tar)
    return { title, diffId, descriptor: this.#take(`${tar}.gz`, `${TYPE}.layer.v1.tar+gzip`) }
  }

  /**
   * Adds an image.
   *
   * @param layers from the bottom up
   * @returns its digest and its octets compressed
   */
  image(name, { layers, config, annotations }) {
    const { created } = this
    const architecture = ARCHITECTURES[process.arch] ?? process.arch
    const platform = { architecture, os: 'linux' }
    const configuration = this.#json(`${TYPE}.config.v1+json`, {
      created,
      ...platform,
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(({ title }) => ({ created, created_by: `scripts/image.mjs: ${title}` })),
    })
    const manifest = this.#json(`${TYPE}.manifest.v1+json`, {
      schemaVersion: 2,
      mediaType: `${TYPE}.manifest.v1+json`,
      config: configuration,
      layers: layers.map(({ descriptor }) => descriptor),
      annotations,
    })
    this.#images.push({ ...manifest, platform, annotations: { 'org.opencontainers.image.ref.name': name } })
    const compressed = layers.reduce((sum, { descriptor }) => sum + descriptor.size, configuration.size + manifest.size)
    return { digest: manifest.digest, compressed }
  }

  /** Writes what makes the folder a layout. */
  finish() {
    const index = { schemaVersion: 2, mediaType: `${TYPE}.index.v1+json`, manifests: this.#images }
    writeFileSync(join(this.#folder, 'index.json'), JSON.stringify(index))
    writeFileSync(join(this.#folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  }

  #json(mediaType, value) {
    const path = join(this.#folder, 'blob.json')
    writeFileSync(path, JSON.stringify(value))
    return this.#take(path, mediaType)
  }

  /** Moves a file among the blobs. */
  #take(path, mediaType) {
    const digest = digestOf(readFileSync(path))
    const { size } = statSync(path)
    renameSync(path, join(this.#folder, 'blobs', ...digest.split(':')))
    return { mediaType, digest, size }
  }
}

/** Nothing of when, by whom and in which order files were made; capabilities of files stay. */
const TAR = [
  '--create',
  '--sort=name',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--format=pax',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  '--xattrs',
  '--xattrs-include=security.capability',
]
