/** Certificates: as OpenSSL sees them, and when they are made anew. */
import { X509Certificate } from 'node:crypto'
import { connect, createServer } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { issueCertificates, issueServerCertificate, renewalNeed } from '@typemetal/cluster/tls'
import t from 'tap'

const DAY = 24 * 3600 * 1000
const now = new Date()
const later = (days: number): Date => new Date(now.getTime() + days * DAY)
const dnsName = 'metallb-webhook-service.metallb-system.svc'

t.test('what is issued is good, holds for the name, and its keys are PKCS #1', async t => {
  const bundle = await issueCertificates({ dnsName, now })
  t.equal(renewalNeed(bundle, { dnsName, now }), undefined)
  const ca = new X509Certificate(bundle['ca.crt'])
  const server = new X509Certificate(bundle['tls.crt'])
  t.ok(ca.ca)
  t.ok(server.checkIssued(ca) && server.verify(ca.publicKey))
  t.equal(ca.subject, 'CN=cert\nO=metallb')
  t.equal(server.subject, `CN=${dnsName}`)
  t.equal(server.subjectAltName, `DNS:${dnsName}`)
  t.same(server.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'for servers only')
  t.same(server.publicKey.asymmetricKeyDetails, { modulusLength: 2048, publicExponent: 65537n })
  t.ok(Date.parse(server.validFrom) < now.getTime(), 'clocks differ')
  for (const key of ['ca.key', 'tls.key'] as const) t.match(bundle[key], /^-----BEGIN RSA PRIVATE KEY-----/)
})

t.test('a TLS client that trusts the CA connects by the name, and by no other', async t => {
  const bundle = await issueCertificates({ dnsName, now })
  const server = createServer({ cert: bundle['tls.crt'], key: bundle['tls.key'] }, socket => socket.end('hello'))
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const dial = async (servername: string): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: bundle['ca.crt'] })
    try {
      const [data] = (await once(socket, 'data')) as [Buffer]
      return String(data)
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? ''
    } finally {
      socket.destroy()
    }
  }
  t.equal(await dial(dnsName), 'hello')
  t.equal(await dial('other.metallb-system.svc'), 'ERR_TLS_CERT_ALTNAME_INVALID')
})

t.test('when something is made anew', async t => {
  const bundle = await issueCertificates({ dnsName, now })
  const other = await issueCertificates({ dnsName, now })
  const need = (parts: object, at = now, name = dnsName): string => {
    const found = renewalNeed({ ...bundle, ...parts }, { dnsName: name, now: at })
    return found ? `${found.renew}: ${found.reason}` : 'nothing'
  }
  t.equal(need({}), 'nothing')
  t.equal(need({}, later(364 - 90)), 'nothing')
  t.equal(need({}, later(366 - 90)), 'server: the server certificate ends soon')
  t.equal(need({}, later(3651 - 90)), 'all: the CA certificate ends soon')
  t.equal(need({ 'ca.crt': undefined }), 'all: the CA certificate is not there')
  t.equal(need({ 'ca.crt': 'hello' }), 'all: the CA certificate cannot be read')
  t.equal(need({ 'ca.key': other['ca.key'] }), 'all: the CA certificate does not belong to its key')
  t.equal(need({ 'ca.crt': bundle['tls.crt'], 'ca.key': bundle['tls.key'] }), 'all: the CA certificate is none of a CA')
  t.equal(need({ 'tls.key': '' }), 'server: the server certificate is not there')
  t.equal(
    need({ 'tls.crt': other['tls.crt'], 'tls.key': other['tls.key'] }),
    'server: the server certificate is not signed by the CA',
  )
  t.match(need({}, now, 'new.metallb-system.svc'), /^server: the server certificate is not for new/)
  t.equal(renewalNeed({}, { dnsName, now })?.renew, 'all', 'an empty Secret, as the manifests have it')
})

t.test("a new server certificate comes from the CA that is there, whose key may be MetalLB's", async t => {
  const bundle = await issueCertificates({ dnsName, now })
  const renewed = { ...bundle, ...(await issueServerCertificate(bundle, { dnsName, now: later(300) })) }
  t.not(renewed['tls.crt'], bundle['tls.crt'])
  t.equal(renewalNeed(renewed, { dnsName, now: later(300) }), undefined)
})
