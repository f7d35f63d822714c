/** The first example of the README, run as it stands there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { packageFile } from './example-process.js'

t.test('README: the example runs as pasted', async t => {
  const code = /```js\n(.*?)```/s.exec(readFileSync(packageFile('README.md'), 'utf8'))?.[1] ?? ''
  // Beside the compiled tests, from where the package is found by its name.
  const directory = mkdtempSync(packageFile('dist-test/readme-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'example.mjs'), code)
  const child = spawn(process.execPath, [join(directory, 'example.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, exit] = await Promise.all([text(child.stdout), once(child, 'exit')])
  t.match(output, /192\.0\.2\.0\/24.*127\.0\.0\.1/)
  t.same(exit, [0, null])
})
