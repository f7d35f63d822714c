/** `--webhook-http2`: RFC 9113 for those who can, HTTP/1.1 for the others, on one port. */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { issueCertificates } from '@typemetal/cluster/tls'
import t from 'tap'
import { serveWebhooks, type WebhookServer } from '../dist/webhook/server.js'

const PATH = '/validate-metallb-io-v1beta1-ipaddresspool'
const NAME = 'metallb-webhook-service.metallb-system.svc'
const bundle = await issueCertificates({ dnsName: NAME, now: new Date() })
const REVIEW = JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'u',
    operation: 'CREATE',
    object: {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'web', namespace: 'metallb-system' },
      spec: { addresses: ['192.0.2.0/24'] },
    },
  },
})

async function start(http2: boolean): Promise<WebhookServer> {
  const context = { namespace: 'metallb-system', resources: {} }
  const server = await serveWebhooks({ port: 0, host: '127.0.0.1', http2, context: () => context })
  server.setCertificate(bundle)
  return server
}

async function overHttp2(
  port: number,
  headers: object,
  body: string,
): Promise<{ readonly status: unknown; readonly text: string }> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: bundle['ca.crt'], servername: NAME })
  const stream = session.request({ ':method': 'POST', ':path': PATH, ...headers })
  stream.end(body)
  const [{ ':status': status }] = (await once(stream, 'response')) as [Record<string, unknown>]
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  session.close()
  return { status, text }
}

async function overHttp1(port: number): Promise<number | undefined> {
  const agent = new Agent({ ca: bundle['ca.crt'], servername: NAME })
  const outgoing = httpsRequest({ host: '127.0.0.1', port, path: PATH, method: 'POST', agent })
  outgoing.end(REVIEW)
  const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
  for await (const _ of response);
  agent.destroy()
  return response.statusCode
}

t.test('both versions on one port', async t => {
  await using server = await start(true)
  const answer = await overHttp2(server.port, {}, REVIEW)
  t.equal(answer.status, 200)
  t.match(JSON.parse(answer.text), { response: { uid: 'u', allowed: true } })
  t.equal((await overHttp2(server.port, { ':path': '/nowhere' }, '{}')).status, 404)
  t.equal((await overHttp2(server.port, {}, 'no JSON')).status, 400)
  t.equal(await overHttp1(server.port), 200)
})

t.test('it ends although clients stay connected', async t => {
  const server = await start(true)
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: bundle['ca.crt'], servername: NAME })
  await once(session, 'connect')
  const gone = once(session, 'close')
  await server[Symbol.asyncDispose]()
  await gone
  t.ok(session.closed)
})

t.test('without the flag only HTTP/1.1 is spoken', async t => {
  await using server = await start(false)
  t.equal(await overHttp1(server.port), 200)
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: bundle['ca.crt'], servername: NAME })
  await t.rejects(once(session, 'connect'))
})
