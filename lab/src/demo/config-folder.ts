/** The folder of manifests that the programs watch: a copy of `examples/demo`, changed while they run. */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `examples/demo` of the checkout. */
const EXAMPLES = fileURLToPath(new URL('../../../examples/demo/', import.meta.url))

/** One run's manifests. */
export class ConfigFolder {
  /** Starts with all of `examples/demo`. @param directory made when it is not there */
  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true })
    for (const name of readdirSync(EXAMPLES)) if (name.endsWith('.yaml')) this.add(name)
  }

  /** Copies a file of `examples/demo` into the folder (`web.yaml`, `../demo-steps/fill.yaml`). */
  add(example: string): void {
    copyFileSync(join(EXAMPLES, example), join(this.directory, basename(example)))
  }

  /** Deletes a file. */
  remove(name: string): void {
    rmSync(join(this.directory, name), { force: true })
  }

  /** Rewrites a file. */
  edit(name: string, change: (text: string) => string): void {
    const path = join(this.directory, name)
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }
}
