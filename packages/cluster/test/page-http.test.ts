/** What the status page answers, to whom, and with which headers. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { servePage } from '@typemetal/cluster/page'
import { ExampleSource, exampleCluster, exampleServices } from '@typemetal/lab/browser'
import t from 'tap'
import { get, start } from './page-client.js'

t.setTimeout(1_200_000)
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')

t.test('GET / is one document that brings all it needs, and the policy allows that alone', async t => {
  const { server } = await start(t)
  const { status, headers, body } = await get(server)
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/html; charset=utf-8')
  const html = body.toString()
  const policy = headers['content-security-policy'] as string
  const hash = (text = ''): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const [, script] = /<script>(.*)<\/script>/s.exec(html) ?? []
  const [, style] = /<style>(.*)<\/style>/s.exec(html) ?? []
  t.ok(script && style, 'both are inside')
  t.match(policy, `script-src ${hash(script)};`)
  t.match(policy, `style-src ${hash(style)};`)
  t.match(policy, /^default-src 'none';/)
  t.match(policy, /frame-ancestors 'none'.*require-trusted-types-for 'script'/)
  t.notMatch(policy, /unsafe|\*|https?:/)
  const references = [...html.replace(script ?? '', '').matchAll(/(?:src|href|action)="([^"]*)"/g)].map(
    ([, to = '']) => to,
  )
  t.same(
    references.filter(to => !/^(?:#|data:image\/svg\+xml,|facts\.json$)/.test(to)),
    [],
    'no external asset',
  )
  t.notMatch(html, /style="| on\w+="/, 'nothing that the policy would forbid')
})

t.test('no answer is kept, guessed at, framed, or read by other sites', async t => {
  const { server } = await start(t)
  for (const path of ['/', '/facts.json', '/nothing']) {
    const { headers } = await get(server, { path })
    t.match(headers, {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    })
    t.notOk(headers['access-control-allow-origin'])
  }
})

t.test('facts.json has all the facts, compressed for who asks so', async t => {
  const { server, source } = await start(t)
  source.change({ services: exampleServices(1000) })
  const plain = await get(server, { path: '/facts.json?x=1' })
  t.equal(plain.headers['content-type'], 'application/json')
  t.equal(plain.headers['content-encoding'], undefined)
  const { at, ...facts } = JSON.parse(plain.body.toString()) as { at: string }
  t.same(facts, JSON.parse(JSON.stringify(source.facts())))
  t.match(at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  const headers = { 'accept-encoding': 'br, gzip;q=0.5' }
  const packed = await get(server, { path: '/facts.json', headers })
  t.equal(packed.headers['content-encoding'], 'gzip')
  t.equal(packed.headers['vary'], 'accept-encoding')
  t.ok(packed.body.length < plain.body.length / 5, `${packed.body.length} of ${plain.body.length} octets`)
  t.same({ ...JSON.parse(gunzipSync(packed.body).toString()), at }, { at, ...facts })
  const refused = await get(server, { path: '/facts.json', headers: { 'accept-encoding': 'gzip;q=0' } })
  t.equal(refused.headers['content-encoding'], undefined)
})

t.test('HEAD has the headers of GET and no body', async t => {
  const { server } = await start(t)
  for (const path of ['/', '/nothing']) {
    const [head, whole] = [await get(server, { path, method: 'HEAD' }), await get(server, { path })]
    t.equal(head.status, whole.status)
    t.equal(head.headers['content-length'], String(whole.body.length))
    t.equal(head.body.length, 0)
  }
  const events = await get(server, { path: '/events', method: 'HEAD' })
  t.match(events, { status: 200, headers: { 'content-type': 'text/event-stream' } })
  t.match(await get(server, { path: '/facts.json', method: 'HEAD' }), { status: 200 })
})

t.test('read-only: other methods are 405, other paths 404', async t => {
  const { server, source } = await start(t)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    for (const path of ['/', '/facts.json', '/events']) {
      t.match(
        await get(server, { path, method }),
        { status: 405, headers: { allow: 'GET, HEAD' } },
        `${method} ${path}`,
      )
    }
  }
  for (const path of ['/index.html', '//', '/../facts.json', '/facts.json/']) {
    t.equal((await get(server, { path })).status, 404, path)
  }
  t.equal(source.asked, 0)
})

t.test('a name that somebody else may point at us is not answered (DNS rebinding)', async t => {
  const { server } = await start(t, { names: ['Node-1.example'] })
  const answered = [
    'localhost',
    'LOCALHOST:80',
    'page.localhost',
    'localhost.',
    '127.0.0.1',
    '10.0.0.5:7476',
    '[::1]:7476',
    '[fe80::1]',
  ]
  for (const host of [...answered, 'node-1.example:7476']) {
    t.equal((await get(server, { headers: { host } })).status, 200, host)
  }
  const refused = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    '127.1',
    '0x7f000001',
    '2130706433',
  ]
  for (const host of [...refused, '[::1', '[evil]', '::1', 'localhost:80:80', 'localhost@evil']) {
    for (const path of ['/', '/facts.json', '/events']) {
      t.equal((await get(server, { path, headers: { host } })).status, 421, `${host} ${path}`)
    }
  }
})

t.test('RFC 9112 section 3.2: without a Host header, or with an empty one, there is no answer', async t => {
  const { server } = await start(t)
  for (const question of ['GET /facts.json HTTP/1.0', 'GET / HTTP/1.1\r\nHost:', 'GET / HTTP/1.1\r\nHost: ']) {
    const socket = connect(server.port, '127.0.0.1')
    socket.end(`${question}\r\nConnection: close\r\n\r\n`)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    t.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 4(?:00|21) /, question)
  }
})

t.test('scripts of other sites get nothing, links from there work', async t => {
  const { server, source } = await start(t)
  const from = (site: string, mode: string): Record<string, string> => ({
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
  })
  for (const site of ['cross-site', 'same-site']) {
    for (const path of ['/', '/facts.json', '/events']) {
      t.equal((await get(server, { path, headers: from(site, 'cors') })).status, 403)
    }
    t.equal((await get(server, { headers: from(site, 'navigate') })).status, 200)
  }
  t.equal(source.asked, 0)
  t.equal((await get(server, { path: '/facts.json', headers: from('same-origin', 'cors') })).status, 200)
  t.equal((await get(server, { path: '/facts.json', headers: from('none', 'navigate') })).status, 200)
})

t.test('it listens on loopback unless told otherwise, and says where', async t => {
  const { server } = await start(t)
  t.equal(server.url, `http://127.0.0.1:${server.port}/`)
  const source = new ExampleSource(exampleCluster(0))
  await using six = await servePage({ source, port: 0, address: '::1' })
  t.equal(six.url, `http://[::1]:${six.port}/`)
  await t.rejects(servePage({ source, port: server.port }), { code: 'EADDRINUSE', syscall: 'listen' })
  for (const address of ['localhost', '', '127.0.0.1:80', '[::1]']) {
    await t.rejects(servePage({ source, port: 0, address }), { name: 'TypeError', message: /^address / })
  }
})

t.test('a client that does not finish asking is let go of', async t => {
  const { server } = await start(t)
  const socket = connect(server.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
  socket.resume()
  await once(socket, 'close')
  t.pass('closed')
})

t.test('the assets are made of what is in browser/', async t => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'page.mjs'), '--check'], {
    encoding: 'utf8',
  })
  t.equal(status, 0, stderr)
})
