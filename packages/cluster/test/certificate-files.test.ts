/** Certificates that others make. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, silentLogger } from '@typemetal/cluster/process'
import { CertificateFiles } from '@typemetal/cluster/tls'
import { until } from '@typemetal/lab'
import t from 'tap'

t.test('are read when they are there, and again when they have changed; the last good ones stay', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-certificates-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  // Into place at once, as a Secret's volume has them: nobody reads a file that is half written.
  const put = (certificate: string): void => {
    for (const [name, text] of [
      ['tls.key', 'key'],
      ['tls.crt', certificate],
    ] as const) {
      writeFileSync(join(directory, 'new'), text)
      renameSync(join(directory, 'new'), join(directory, name))
    }
  }
  const shown: string[] = []
  const lines: string[] = []
  const log: Logger = { ...silentLogger, error: fields => void lines.push((fields as { error: string }).error) }
  const onBundle = (bundle: { 'tls.crt': string }): void => {
    if (bundle['tls.crt'] === 'broken') throw new Error('no certificate')
    shown.push(bundle['tls.crt'])
  }
  const stop = new AbortController()
  const ended = new CertificateFiles({ directory, onBundle, log, interval: 5 }).run(stop.signal)
  await until('a line', () => lines.length > 0 || undefined)
  t.match(lines[0], /ENOENT/, 'what is missing is said')
  put('one')
  await until('the first', () => shown.length === 1 || undefined)
  put('broken')
  await until('the complaint', () => lines.at(-1) === 'no certificate' || undefined)
  const said = lines.length
  await sleep(50)
  put('two')
  await until('the second', () => shown.length === 2 || undefined)
  t.equal(lines.length, said, 'once only')
  t.same(shown, ['one', 'two'])
  stop.abort()
  await ended
})
