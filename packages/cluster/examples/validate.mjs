// Says everything that is wrong with a manifest, and where:  node examples/validate.mjs
import { buildConfig, formatConfigError, manifestResources, parseManifest } from '@typemetal/cluster'

const text = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: first
spec:
  addresses:
    - 192.0.2.0/24
    - 192.0.2.7-192.0.2.9
  autoAsign: false
`
const manifest = parseManifest(text, { file: 'pools.yaml', namespace: 'metallb-system' })
const { errors = [] } = buildConfig(manifestResources({ 'pools.yaml': manifest }), {
  component: 'validate',
  namespace: 'metallb-system',
})
for (const error of errors) console.log(formatConfigError(error))
