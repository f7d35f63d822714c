/** The folder of an API server: certificates, keys, policies. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CertificateAuthority, type CertificateFiles } from './certificates.js'

/** Files that an API server and its clients need. */
export interface ControlPlaneFiles {
  /** Signs the servers' and all clients' certificates. */
  readonly authority: CertificateAuthority
  readonly serving: CertificateFiles
  /** Member of `system:masters`, who may do everything. */
  readonly admin: CertificateFiles
  readonly serviceAccounts: { readonly publicKey: string; readonly privateKey: string }
  readonly auditPolicy: string
}

/** Names under which the API server is called, inside a cluster and here. */
const SERVER_NAMES = [
  '127.0.0.1',
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  '10.96.0.1',
]

/** Requests of the API server to itself tell nothing. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    { level: 'None', users: ['system:apiserver'] },
    { level: 'Metadata', omitManagedFields: true },
  ],
}

/** Makes them all in `directory`, which exists. */
export async function makeControlPlaneFiles(directory: string): Promise<ControlPlaneFiles> {
  const folder = join(directory, 'pki')
  mkdirSync(folder)
  mkdirSync(join(directory, 'logs'))
  const auditPolicy = join(directory, 'audit-policy.json')
  await writeFile(auditPolicy, JSON.stringify(AUDIT_POLICY))
  const authority = await CertificateAuthority.create(folder, 'ca')
  const serving = await authority.issue('apiserver', { commonName: 'kube-apiserver', hosts: SERVER_NAMES })
  const admin = await authority.issue('admin', { commonName: 'admin', organizations: ['system:masters'] })
  return { authority, serving, admin, serviceAccounts: await makeKeyPair(folder), auditPolicy }
}

async function makeKeyPair(folder: string): Promise<ControlPlaneFiles['serviceAccounts']> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const files = { publicKey: join(folder, 'service-accounts.pub'), privateKey: join(folder, 'service-accounts.key') }
  await writeFile(files.publicKey, publicKey)
  await writeFile(files.privateKey, privateKey, { mode: 0o600 })
  return files
}
