/** Certificates that others make. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, silentLogger } from '@typemetal/cluster/process'
import { CertificateFiles } from '@typemetal/cluster/tls'
import t from 'tap'

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn++) await sleep(2)
}

t.test('are read when they are there, and again when they have changed; the last good ones stay', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'typemetal-certificates-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const put = (certificate: string): void => {
    writeFileSync(join(directory, 'tls.key'), 'key')
    writeFileSync(join(directory, 'tls.crt'), certificate)
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
  await until(() => lines.length === 1)
  t.match(lines, [/ENOENT/], 'what is missing is said')
  put('one')
  await until(() => shown.length === 1)
  put('broken')
  await until(() => lines.at(-1) === 'no certificate')
  const said = lines.length
  await sleep(50)
  t.equal(lines.length, said, 'once only')
  put('two')
  await until(() => shown.length === 2)
  t.same(shown, ['one', 'two'])
  stop.abort()
  await ended
})
