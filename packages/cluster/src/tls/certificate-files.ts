import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../process/log.js'
import type { CertificateBundle } from './certificates.js'

/** Milliseconds between looks: whoever renews certificates does so long before they end. */
const LOOK = 10_000

/** Options of {@link CertificateFiles}. */
export interface CertificateFilesOptions {
  /** With `tls.crt` and `tls.key`. */
  readonly directory: string
  /** There are other certificates to show. */
  readonly onBundle: (bundle: Pick<CertificateBundle, 'tls.crt' | 'tls.key'>) => void
  /** Is told of files that cannot be used. */
  readonly log: Logger
  /** Milliseconds between looks. @default 10_000 */
  readonly interval?: number
}

/** Certificates that others make, such as cert-manager: read from files, and read again when they have changed. */
export class CertificateFiles {
  readonly #options: CertificateFilesOptions
  #shown = ''
  #trouble: string | undefined

  constructor(options: CertificateFilesOptions) {
    this.#options = options
  }

  /** Looks after the files until `signal` aborts. What fails is logged once and tried again; the last good ones stay. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look()
      await sleep(this.#options.interval ?? LOOK, undefined, { signal }).catch(() => {}) // aborted
    }
  }

  async #look(): Promise<void> {
    const { directory, onBundle, log } = this.#options
    try {
      const [certificate, key] = await Promise.all(
        ['tls.crt', 'tls.key'].map(name => readFile(join(directory, name), 'utf8')),
      )
      const bundle = { 'tls.crt': certificate!, 'tls.key': key! }
      const text = bundle['tls.crt'] + bundle['tls.key']
      if (text !== this.#shown) onBundle(bundle)
      this.#shown = text
      this.#trouble = undefined
    } catch (error) {
      const trouble = (error as Error).message
      if (trouble !== this.#trouble) log.error({ event: 'certificates', error: trouble }, 'certificates cannot be used')
      this.#trouble = trouble
    }
  }
}
