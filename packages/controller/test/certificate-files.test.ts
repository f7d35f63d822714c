/** Certificates that others make. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Logger, silentLogger } from '@typemetal/cluster/process'
import t from 'tap'
import { CertificateFiles } from '../dist/node/certificate-files.js'
import { VirtualClock } from './scenario/virtual-clock.js'

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
  const clock = new VirtualClock()
  const stop = new AbortController()
  const ended = new CertificateFiles({ directory, onBundle, clock, log }).run(stop.signal)
  await until(() => lines.length === 1)
  t.match(lines, [/ENOENT/], 'what is missing is said')
  const look = async (certificate: string, condition: () => boolean): Promise<void> => {
    put(certificate)
    await until(() => clock.advance() && condition())
  }
  await look('one', () => shown.length === 1)
  await look('one', () => true)
  await look('broken', () => lines.length === 2)
  await look('broken', () => true)
  await look('two', () => shown.length === 2)
  t.same(shown, ['one', 'two'])
  t.equal(lines.at(-1), 'no certificate', 'and once only')
  t.equal(lines.length, 2)
  stop.abort()
  await ended
  t.notOk(clock.advance(), 'no timer is left')
})
